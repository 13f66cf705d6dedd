// The loop over batches: one team for a whole run, decisions by rank 0, the same for every rank.
#include "engine/executor.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <limits>

#include "base/fetch.h"
#include "base/random.h"
#include "base/subnormals.h"
#include "engine/fusion.h"

namespace fastgd {
namespace {

using Clock = std::chrono::steady_clock;

// Reading the clock costs as much as a small layer, so rank 0 does it only after this much work (about 50 us).
constexpr double kWorkBetweenLooks = 5e6;
// What a batch counts for at least: its fixed cost. A step of a linear unit takes a tenth of a small batch's time.
constexpr double kBatchWork = 5e4, kLinearStepWork = 5e3;
// How often Python may run its signal handlers.
constexpr double kSecondsBetweenInterrupts = 0.05;
// Compiled batches kept for different modes and sizes.
constexpr std::size_t kMaxBatches = 8;

}  // namespace

// The run's clock and its end. Rank 0 decides and the others learn the tick (the count of instructions) after which to
// leave. It is always a tick that ends in a meeting, and rank 0 sets it before that meeting, so all leave together.
template <class T>
struct Executor<T>::Pace {
  Interrupt interrupt = nullptr;
  double max_seconds = std::numeric_limits<double>::infinity();
  Clock::time_point started = Clock::now();
  Clock::time_point last_interrupt = started;
  double work = 0;
  bool out_of_time = false;
  bool interrupted = false;
  bool failed = false;  // an op has, see OpTraits::may_fail
  std::atomic<std::int64_t> stop_tick{std::numeric_limits<std::int64_t>::max()};

  // For rank 0, after the instruction of `tick`.
  void look(std::int64_t tick, double work_done, bool ends_batch) {
    work += work_done;
    if (work > kWorkBetweenLooks) {
      work = 0;
      const auto now = Clock::now();
      out_of_time = out_of_time || seconds(now - started) >= max_seconds;
      if (interrupt != nullptr && !interrupted && !failed &&
          seconds(now - last_interrupt) >= kSecondsBetweenInterrupts) {
        last_interrupt = now;
        interrupted = interrupt();
      }
    }
    if (interrupted || failed || (ends_batch && out_of_time)) stop_tick.store(tick, std::memory_order_relaxed);
  }

  bool over() const { return stop_tick.load(std::memory_order_relaxed) != std::numeric_limits<std::int64_t>::max(); }

  static double seconds(Clock::duration d) { return std::chrono::duration<double>(d).count(); }
};

template <class T>
inline void Executor<T>::run_instruction(const Instruction<T>& instruction, Program<T>& p, Index first_row,
                                         const Worker& who) noexcept {
  using Kind = typename Instruction<T>::Kind;
  if (instruction.kind == Kind::forward) return instruction.op->forward(instruction.call, who);
  if (instruction.kind == Kind::backward) return instruction.op->backward(instruction.call, who);
  run_other(instruction, p, first_row, who);
}

template <class T>
Executor<T>::Executor(Plan plan, const KernelTable& table, double team_work)
    : plan_(std::move(plan)),
      wiring_(plan_),
      fused_(fused(plan_)),
      fused_wiring_(fused_),
      table_(table),
      kernels_(table.of<T>()),
      team_work_(team_work),
      totals_(static_cast<std::size_t>(count_totals(plan_))) {
  Index trained = 0;
  for (const ParamSpec& spec : plan_.params) {
    trained_.push_back(trained);
    param_sizes_.push_back(count(spec.shape));
    trained += spec.trainable ? 1 : 0;
    gradient_offsets_.push_back(spec.trainable ? gradient_size_ : -1);
    sinks_.push_back({.take = &Executor::take_gradient, .owner = this, .param = static_cast<Index>(sinks_.size())});
    if (spec.trainable && spec.constraint)
      constraints_.emplace_back(*spec.constraint, static_cast<Index>(gradient_offsets_.size()) - 1, spec.shape);
    if (spec.trainable) gradient_size_ += round_up(param_sizes_.back(), kAlignment / static_cast<Index>(sizeof(T)));
  }
}

template <class T>
void Executor<T>::take_gradient(const GradientSink<T>& sink, Index begin, Index size, const T* gradient) noexcept {
  auto& self = *static_cast<Executor*>(sink.owner);
  const Segment<T> part = self.streamed_segment(static_cast<std::size_t>(sink.param)).part(begin, size);
  self.update_->apply(self.kernels_, self.step_, part, gradient, self.slots_);
  if (sink.catch_up != nullptr) self.late_.note(sink.param, {begin, begin + size});
}

template <class T>
void Executor<T>::catch_up(const GradientSink<T>& sink, Index begin, Index size) noexcept {
  auto& self = *static_cast<Executor*>(sink.owner);
  const Segment<T> whole = self.streamed_segment(static_cast<std::size_t>(sink.param));
  self.late_.catch_up(sink.param, *self.update_, self.kernels_, whole, {begin, begin + size}, self.slots_);
}

template <class T>
void Executor<T>::announce(const GradientSink<T>& sink, Index begin, Index size) noexcept {
  const auto& self = *static_cast<Executor*>(sink.owner);
  const auto param = static_cast<std::size_t>(sink.param);
  fetch_soon(self.params_[param] + begin, size);
  for (T* const slot : self.slots_) fetch_soon(slot + self.gradient_offsets_[param] + begin, size);
}

template <class T>
Segment<T> Executor<T>::streamed_segment(std::size_t param) const {
  return {params_[param], gradient_offsets_[param], param_sizes_[param], trained_[param], penalties_[param]};
}

template <class T>
void Executor<T>::finish_late_rows(int team) noexcept {
  if (!late_.any()) return;
  const auto segment = [&](Index param) { return streamed_segment(static_cast<std::size_t>(param)); };
  run_team(team, [&](const Worker& who) { late_.finish(*update_, kernels_, slots_, segment, who); });
  late_.clear();
}

template <class T>
void Executor<T>::bind_parameters(std::vector<T*> params) {
  params_ = std::move(params);
  for (auto& [key, batch] : batches_) batch->detach();
}

// The stretches of parameters that an update has to visit: all but those that are updated on the way.
template <class T>
std::vector<Segment<T>> Executor<T>::segments_of(const std::vector<bool>& streamed,
                                                 const std::vector<Penalty>& penalties) const {
  std::vector<Segment<T>> segments;
  bool next_to_last = false;
  for (std::size_t i = 0; i < params_.size(); ++i) {
    const Index offset = gradient_offsets_[i];
    if (offset < 0) continue;
    if (streamed[i]) {
      next_to_last = false;
      continue;
    }
    const Index size = param_sizes_[i];
    if (next_to_last) {
      Segment<T>& last = segments.back();
      // Neighbours in the parameters' array and in the gradient's become one stretch, the zeros of the gap included; a
      // streamed parameter between them must not, or it would be updated twice.
      const bool alike = last.penalty == penalties[i] && (!update_ || update_->alike(last.param, trained_[i]));
      if (params_[i] - last.w == offset - last.offset && alike) {
        last.size = offset + size - last.offset;
        continue;
      }
    }
    segments.push_back({params_[i], offset, size, trained_[i], penalties[i]});
    next_to_last = true;
  }
  return segments;
}

template <class T>
void Executor<T>::bind_update(const UpdateSpec& spec, std::vector<T*> slots) {
  std::vector<Range> trained;
  for (std::size_t i = 0; i < gradient_offsets_.size(); ++i)
    if (const Index begin = gradient_offsets_[i]; begin >= 0) trained.push_back({begin, begin + param_sizes_[i]});
  auto update = std::make_unique<Update<T>>(spec, trained);
  // Programs that stream, and those that do not, differ in their instructions.
  if (update->takes_pieces() != takes_pieces()) {
    batches_.clear();
    late_.forget();
    for (GradientSink<T>& sink : sinks_) sink.catch_up = sink.announce = nullptr;
  }
  for (auto& [key, batch] : batches_) batch->detach();
  update_ = std::move(update);
  slots_ = std::move(slots);
}

template <class T>
Batch<T>& Executor<T>::compiled(Mode mode, Index rows) {
  const auto key = std::pair(mode, rows);
  if (const auto it = batches_.find(key); it != batches_.end()) return *it->second;
  if (batches_.size() >= kMaxBatches) batches_.clear();
  auto made = std::make_unique<Batch<T>>(fused_, fused_wiring_, gradient_offsets_, gradient_size_, table_, mode, rows,
                                         team_work_, takes_pieces());
  return *batches_.emplace(key, std::move(made)).first->second;
}

template <class T>
void Executor<T>::prepare(Batch<T>& batch, int team) {
  bool moved = false;
  if (request_.mode == Mode::train && gradients_.size() == 0 && gradient_size_ > 0) {
    gradients_ = Buffer(multiply(gradient_size_, sizeof(T)));
    moved = true;
  }
  if (batch.arena_bytes(team) > arena_.size()) {
    arena_ = Buffer(batch.arena_bytes(team));
    moved = true;
  }
  if (moved)
    for (auto& [key, each] : batches_) each->detach();
  if (batch.team() == team) return;
  const std::vector<bool>& late = batch.program().late();
  for (std::size_t i = 0; i < late.size(); ++i) {
    if (!late[i]) continue;
    late_.add(static_cast<Index>(i), plan_.params[i].shape[0], plan_.params[i].shape[1]);
    sinks_[i].catch_up = &Executor::catch_up;
    sinks_[i].announce = &Executor::announce;
  }
  batch.attach(team, arena_.data(), params_, gradient_data(), sinks_);
  const Program<T>& p = batch.program();
  batch.program().set_segments(segments_of(p.streamed(), p.penalties()));
  // The same for every batch that is trained on.
  if (request_.mode == Mode::train) penalties_ = batch.program().penalties();
}

template <class T>
void Executor<T>::check_feeds(const RunRequest& request, const Program<T>& p) const {
  check(request.feeds.size() == plan_.inputs.size(), "The plan has ", plan_.inputs.size(),
        " inputs. Received: ", request.feeds.size(), " feeds");
  for (const Port& port : p.inputs()) {
    const auto i = static_cast<std::size_t>(port.position);
    const Feed& feed = request.feeds[i];
    const std::string& name = plan_.inputs[i];
    if (feed.data == nullptr && feed.rows == 0) fail("The input '", name, "' is needed but no array was given.");
    if (feed.rows != request.rows)
      fail("All arrays need the same number of rows. Received: ", feed.rows, " rows for '", name, "', ", request.rows,
           " for '", plan_.inputs[0], "'");
    if (!std::equal(feed.shape.begin(), feed.shape.end(), port.shape.begin() + 1, port.shape.end()))
      fail("The input '", name, "' takes samples of shape ", to_string(std::span(port.shape).subspan(1)),
           ". Received: ", to_string(feed.shape));
  }
}

template <class T>
void Executor<T>::find_ready_feeds() {
  ready_.clear();
  for (std::size_t i = 0; i < request_.feeds.size(); ++i) {
    const bool integer = plan_.tensors[static_cast<std::size_t>(wiring_.inputs[i])].dtype == "int32";
    ready_.push_back(request_.feeds[i].lies_ready(integer ? Source::int32 : kSourceOf<T>));
  }
}

template <class T>
void Executor<T>::begin(RunRequest request) {
  begun_ = false;
  if (params_.size() != plan_.params.size()) misuse("The executor has no parameters: call bind_parameters first.");
  check(request.batch_size >= 1, "`batch_size` must be at least 1. Received: batch_size=", request.batch_size);
  check(request.rows >= 1, "The arrays must have at least one row.");
  const Index batch = std::min(request.batch_size, request.rows);
  check_feeds(request, compiled(request.mode, batch).program());
  if (request.mode == Mode::train) {
    if (!update_) misuse("The executor has no update rule: call bind_update first.");
    check(!plan_.losses.empty(), "A plan without losses cannot be trained.");
  }
  check(request.mode == Mode::train || !request.shuffle, "`shuffle_seed` is for training only.");
  const bool filled = request.mode == Mode::predict || (request.mode == Mode::train && !request.sinks.empty());
  check(
      request.sinks.size() == (filled ? plan_.outputs.size() : 0),
      "`outputs` must hold one array per output in predict mode, all or none in train mode, and none else. Received: ",
      request.sinks.size());
  if (const Index rest = request.rows % batch; rest != 0) compiled(request.mode, rest);
  request_ = std::move(request);
  request_.batch_size = batch;
  begin_pass();
  find_ready_feeds();
  begun_ = true;
}

template <class T>
void Executor<T>::begin_pass() {
  order_.clear();
  if (request_.shuffle) order_ = permutation(request_.rows, request_.shuffle_seed, request_.epoch);
  std::fill(totals_.begin(), totals_.end(), Total{});
  next_row_ = 0;
  interrupted_ = false;
}

template <class T>
Index Executor<T>::run_passes(Index max_passes, double max_seconds, double learning_rate, Interrupt interrupt) {
  if (!begun_ || request_.mode != Mode::train) misuse("The executor is not training: call begin first.");
  pass_totals_.clear();
  const auto started = Clock::now();
  auto last_interrupt = started;
  for (Index pass = 0; pass < max_passes; ++pass) {
    if (pass > 0) {
      ++request_.epoch;
      begin_pass();
    }
    while (next_row_ < request_.rows && !interrupted_)
      advance(request_.rows, std::numeric_limits<double>::infinity(), {&learning_rate, 1}, interrupt);
    // What came with the last batch leaves the pass whole.
    if (next_row_ < request_.rows) return pass;
    pass_totals_.insert(pass_totals_.end(), totals_.begin(), totals_.end());
    const auto now = Clock::now();
    // A short pass is over before it would have asked by itself.
    if (interrupt != nullptr && !interrupted_ && Pace::seconds(now - last_interrupt) >= kSecondsBetweenInterrupts) {
      last_interrupt = now;
      interrupted_ = interrupt();
    }
    if (interrupted_ || Pace::seconds(now - started) >= max_seconds) return pass + 1;
  }
  return std::max<Index>(0, max_passes);
}

template <class T>
Index Executor<T>::advance(Index max_batches, double max_seconds, std::span<const double> learning_rates,
                           Interrupt interrupt) {
  if (!begun_) misuse("The executor is not running: call begin first.");
  const Index left = (request_.rows - next_row_ + request_.batch_size - 1) / request_.batch_size;
  const Index batches = std::min(max_batches, left);
  const bool training = request_.mode == Mode::train;
  if (training && batches > 0)
    check(learning_rates.size() == 1 || static_cast<Index>(learning_rates.size()) >= batches,
          "`learning_rates` must hold one rate, or one per batch. Received: ", learning_rates.size(), " for ", batches);
  if (batches <= 0) return 0;
  const Index full = std::min(request_.batch_size, request_.rows - next_row_);
  const Index rest = request_.rows % request_.batch_size;
  // Both are ready before the team starts: nothing allocates inside.
  Batch<T>& main = compiled(request_.mode, full);
  Batch<T>& tail = rest == 0 ? main : compiled(request_.mode, rest);
  TeamChoice& choice = main.choice(num_threads());
  Pace pace;
  pace.interrupt = interrupt;
  pace.max_seconds = max_seconds;
  const std::uint64_t first_iteration = request_.iteration;
  const bool linear = runs_linear_steps(main.program());
  const bool one_rate = learning_rates.size() == 1;
  // Weights that no longer count leave moments that shrink until they are subnormal, and stay so: each step would take
  // several times as long.
  const SubnormalScope flush(training || SubnormalScope::are_zero());
  const auto at = [](Index i) { return static_cast<std::size_t>(i); };
  std::int64_t next_tick = 0;
  Index done = 0;
  while (done < batches && !pace.over()) {
    const int team = choice.team();
    prepare(main, team);
    prepare(tail, team);
    if (main.team() != team) prepare(main, team);  // the tail has moved the arena
    const Index before = done, stretch = before + std::min({choice.batches(), batches - before, late_.room()});
    const auto started = Clock::now();
    const auto run = [&](const Worker& who) {
      Index row = next_row_;
      std::int64_t tick = next_tick;
      who.sync();  // both have been read before rank 0 moves them
      for (Index b = before; b < stretch; ++b) {
        Batch<T>& batch = request_.rows - row >= main.rows() ? main : tail;
        const double rate = training ? learning_rates[one_rate ? 0 : at(b)] : 0.0;
        const After after =
            run_batch(batch, row, rate, first_iteration + static_cast<std::uint64_t>(b), tick, pace, who);
        if (after == After::leave_unfinished) return;
        row += batch.rows();
        if (who.rank == 0) {
          ++done;
          late_.done();
          next_row_ = row;
          next_tick = tick;
        }
        if (after == After::leave) return;
      }
    };
    if (linear && team == 1) {
      done += run_linear_steps(main.program(), stretch - before, learning_rates.subspan(one_rate ? 0 : at(before)),
                               one_rate, next_tick, pace);
    } else {
      run_team(team, run);
    }
    if (done > before) choice.ran(done - before, Pace::seconds(Clock::now() - started));
    // Whoever looks at the parameters finds them up to date.
    if (done == batches || late_.room() == 0 || pace.over()) finish_late_rows(team);
  }
  if (training) request_.iteration += static_cast<std::uint64_t>(done);
  interrupted_ = pace.interrupted || pace.failed;
  return done;
}

template <class T>
typename Executor<T>::After Executor<T>::run_batch(Batch<T>& batch, Index first_row, double learning_rate,
                                                   std::uint64_t iteration, std::int64_t& tick, Pace& pace,
                                                   const Worker& who) noexcept {
  // Read by the others behind the first meeting.
  if (who.rank == 0 && update_) {
    step_ = update_->numbers(learning_rate, iteration);
    if (request_.mode == Mode::train) late_.begin(step_);
  }
  if (batch.grouped()) {
    const Range mine = who.share(batch.groups());
    for (Index g = mine.begin; g < mine.end; ++g) batch.program(g).run_state().iteration = iteration;
    return run_groups(batch, first_row, tick, pace, who);
  }
  if (who.rank == 0) {
    batch.program().run_state().iteration = iteration;
    batch.program().run_state().failed = false;
  }
  const Program<T>& program = batch.program();
  if (who.size == 1 && program.work() <= kWorkBetweenLooks && !program.may_fail())
    return run_alone(batch.program(), first_row, tick, pace);
  return run_together(batch.program(), first_row, tick, pace, who);
}

// A batch that is over before anybody would look at the clock, without a team to meet.
template <class T>
typename Executor<T>::After Executor<T>::run_alone(Program<T>& p, Index first_row, std::int64_t& tick,
                                                   Pace& pace) noexcept {
  const Worker alone;
  for (const Instruction<T>& instruction : p.code()) run_instruction(instruction, p, first_row, alone);
  add_totals(p);
  pace.look(tick, p.work() + kBatchWork, true);
  return tick++ >= pace.stop_tick.load(std::memory_order_relaxed) ? After::leave : After::go_on;
}

template <class T>
bool Executor<T>::runs_linear_steps(const Program<T>& p) const {
  const auto& unit = p.linear_unit();
  if (!unit || !update_->is_plain() || !request_.sinks.empty() || late_.any()) return false;
  const auto ready = [&](std::size_t input) { return ready_[static_cast<std::size_t>(p.inputs()[input].position)]; };
  return ready(unit->x) && ready(unit->t);
}

template <class T>
Index Executor<T>::run_linear_steps(const Program<T>& p, Index steps, std::span<const double> rates, bool one_rate,
                                    std::int64_t& tick, Pace& pace) noexcept {
  const LinearUnit<T>& unit = *p.linear_unit();
  const auto feed = [&](std::size_t input) -> const Feed& {
    return request_.feeds[static_cast<std::size_t>(p.inputs()[input].position)];
  };
  const Feed &x = feed(unit.x), &t = feed(unit.t);
  LinearSteps<T> s{.loss = unit.loss, .scale = unit.scale, .inputs = unit.inputs};
  s.w = params_[static_cast<std::size_t>(unit.kernel)];
  s.b = unit.bias < 0 ? nullptr : params_[static_cast<std::size_t>(unit.bias)];
  s.x = x.data, s.x_bytes = x.row_stride;
  s.t = t.data, s.t_bytes = t.row_stride;
  s.one_rate = one_rate;
  Total& total = totals_[0];
  const auto longest = std::max<Index>(1, static_cast<Index>(kWorkBetweenLooks / (kLinearStepWork + p.work())));
  Index done = 0;
  while (done < steps) {
    s.first = next_row_;
    if (!order_.empty()) s.order = order_.data() + next_row_;
    s.steps = std::min(longest, steps - done);
    s.rates = s.one_rate ? rates.data() : rates.data() + done;
    total.numerator = kernels_.linear_steps(s, total.numerator);
    total.denominator += static_cast<double>(s.steps);
    done += s.steps, next_row_ += s.steps;
    pace.look(tick, kWorkBetweenLooks + 1, true);
    if (tick++ >= pace.stop_tick.load(std::memory_order_relaxed)) break;
  }
  return done;
}

template <class T>
typename Executor<T>::After Executor<T>::run_together(Program<T>& p, Index first_row, std::int64_t& tick, Pace& pace,
                                                      const Worker& who) noexcept {
  const Worker alone;
  const auto& code = p.code();
  for (std::size_t i = 0; i < code.size(); ++i, ++tick) {
    const Instruction<T>& instruction = code[i];
    const bool last = i + 1 == code.size();
    if (instruction.team) {
      run_instruction(instruction, p, first_row, who);
    } else if (who.rank == 0) {
      run_instruction(instruction, p, first_row, alone);
    }
    if (!instruction.sync_after && who.size > 1) {
      // No meeting here: what rank 0 has done is looked at after its next instruction that has one.
      if (who.rank == 0) pace.work += instruction.work;
      continue;
    }
    if (who.rank == 0) {
      pace.failed = p.run_state().failed;
      if (last) add_totals(p);
      pace.look(tick, instruction.work + (last ? kBatchWork : 0), last);
    }
    who.sync();
    if (tick >= pace.stop_tick.load(std::memory_order_relaxed)) return last ? After::leave : After::leave_unfinished;
  }
  return After::go_on;
}

// Two ticks: one ends with all groups done, one with the update.
template <class T>
typename Executor<T>::After Executor<T>::run_groups(Batch<T>& batch, Index first_row, std::int64_t& tick, Pace& pace,
                                                    const Worker& who) noexcept {
  const Worker alone;
  const Range mine = who.share(batch.groups());
  const bool trains = request_.mode == Mode::train;
  for (Index g = mine.begin; g < mine.end; ++g) {
    Program<T>& p = batch.program(g);
    for (const Instruction<T>& instruction : p.code()) {
      run_instruction(instruction, p, first_row + p.slice().first, alone);
      if (who.rank == 0) pace.look(tick, instruction.work, false);
    }
  }
  if (trains) group_sums(batch, who).join(who);
  who.sync();
  if (tick++ >= pace.stop_tick.load(std::memory_order_relaxed)) return After::leave_unfinished;
  if (trains) {
    update_from_groups(batch, who);
    if (!constraints_.empty()) {
      who.sync();
      constrain(who);
    }
  }
  if (who.rank == 0) {
    for (Index g = 0; g < batch.groups(); ++g) add_totals(batch.program(g));
    pace.look(tick, kBatchWork, true);
  }
  who.sync();
  return tick++ >= pace.stop_tick.load(std::memory_order_relaxed) ? After::leave : After::go_on;
}

template <class T>
GroupSums<T> Executor<T>::group_sums(Batch<T>& batch, const Worker& who) {
  return {kernels_, batch.groups(), who.size, gradient_data(), batch.gradient(1), gradient_size_};
}

template <class T>
void Executor<T>::update_from_groups(Batch<T>& batch, const Worker& who) noexcept {
  T* const first = gradient_data();
  const GroupSums<T> sums = group_sums(batch, who);
  const auto& segments = batch.program().segments();
  const bool in_pieces = update_->takes_pieces();
  // Not summed in place where there is a choice: the first gradient stays in the cache of the thread that writes it.
  alignas(kAlignment) T piece[kUpdatePiece];
  alignas(kAlignment) T spare[GroupSums<T>::kSpare];
  for (const Segment<T>& s : segments) {
    const Range part = who.share(s.size, 64);
    for (Index i = part.begin; i < part.end; i += kUpdatePiece) {
      const Index n = std::min(kUpdatePiece, part.end - i), at = s.offset + i;
      const T* const sum = sums.sum(at, n, in_pieces ? piece : first + at, spare);
      if (in_pieces) update_->apply(kernels_, step_, s.part(i, n), sum, slots_);
    }
  }
  if (in_pieces) return;
  who.sync();
  update_->apply(kernels_, step_, segments, first, slots_, who);
}

template <class T>
void Executor<T>::constrain(const Worker& who) noexcept {
  for (const Constraint<T>& c : constraints_) c.apply(kernels_, params_[static_cast<std::size_t>(c.param())], who);
}

// Apart from what steps do, so that a call of an op costs no more than itself.
template <class T>
void Executor<T>::run_other(const Instruction<T>& instruction, Program<T>& p, Index first_row,
                            const Worker& who) noexcept {
  using Kind = typename Instruction<T>::Kind;
  const Call<T>& c = instruction.call;
  switch (instruction.kind) {
    case Kind::forward:
    case Kind::backward:
      break;
    case Kind::gather:
      for (std::size_t i = 0; i < p.inputs().size(); ++i) {
        const Port& port = p.inputs()[i];
        const std::byte* const ready = ready_samples(port, first_row, p.slice().rows);
        if (who.rank == 0) p.move_input(i, ready);
        if (ready == nullptr) gather_input(port, first_row, p.slice().rows, who);
      }
      break;
    case Kind::terms:
      run_terms(p);
      break;
    case Kind::add: {
      const Range part = who.share(instruction.size, kernels_.lanes);
      kernels_.add(part.size(), c.y[0] + part.begin, c.x[0] + part.begin, c.y[0] + part.begin);
      break;
    }
    case Kind::update:
      update_->apply(kernels_, step_, p.segments(), gradient_data(), slots_, who);
      break;
    case Kind::constrain:
      constrain(who);
      break;
    case Kind::scatter:
      scatter(p, first_row);
      break;
  }
}

template <class T>
const std::byte* Executor<T>::ready_samples(const Port& port, Index first, Index rows) const noexcept {
  const auto position = static_cast<std::size_t>(port.position);
  if (!port.movable || !ready_[position]) return nullptr;
  const Feed& feed = request_.feeds[position];
  if (rows > 1 && !(order_.empty() && feed.adjacent)) return nullptr;
  return feed.data + (order_.empty() ? first : order_[static_cast<std::size_t>(first)]) * feed.row_stride;
}

template <class T>
void Executor<T>::gather_input(const Port& port, Index first, Index rows, const Worker& who) noexcept {
  const Feed& feed = request_.feeds[static_cast<std::size_t>(port.position)];
  const Index* const order = order_.empty() ? nullptr : order_.data();
  if (port.integer) return gather_ints(feed, order, first, rows, reinterpret_cast<std::int32_t*>(port.data), who);
  T* const to = reinterpret_cast<T*>(port.data);
  if (port.scale < 0) return gather(kernels_, feed, order, first, rows, to, who);
  const Scaling<T> scaling{*params_[static_cast<std::size_t>(port.scale)],
                           *params_[static_cast<std::size_t>(port.offset)]};
  gather(kernels_, feed, order, first, rows, to, who, &scaling);
}

// The totals of a metric with several columns over n samples, from the first sample to the last.
template <class T>
static void add_columns(const TermCode<T>& term, Index n, Total* totals) noexcept {
  std::fill_n(totals, term.columns, Total{});
  const auto* numbers = reinterpret_cast<const std::int32_t*>(term.values);
  double weight_sum = 0;
  for (Index j = 0; j < n; ++j) {
    const double weight = term.weights == nullptr ? 1.0 : static_cast<double>(term.weights[j]);
    weight_sum += weight;
    if (term.numbered) {
      for (Index i = j * term.width; i < (j + 1) * term.width; ++i)
        if (numbers[i] >= 0 && numbers[i] < term.columns) totals[numbers[i]].numerator += weight;
    } else {
      for (Index c = 0; c < term.columns; ++c)
        totals[c].numerator += weight * static_cast<double>(term.values[j * term.columns + c]);
    }
  }
  for (Index c = 0; c < term.columns; ++c) totals[c].denominator = weight_sum;
}

// The sum of value(0) .. value(n - 1), by several sums side by side: one would wait for each addition.
template <class F>
static double sum_of(Index n, const F& value) noexcept {
  constexpr Index kSums = 8;
  double sums[kSums] = {};
  Index j = 0;
  for (; j + kSums <= n; j += kSums)
    for (Index i = 0; i < kSums; ++i) sums[i] += value(j + i);
  for (Index i = 0; j < n; ++i, ++j) sums[i] += value(j);
  for (Index step = kSums / 2; step > 0; step /= 2)
    for (Index i = 0; i < step; ++i) sums[i] += sums[i + step];
  return sums[0];
}

// The sum of n values, weighted where there are weights, and that of the weights.
template <class T>
static Total weighted_sum(Index n, const T* values, const T* weights) noexcept {
  const auto value = [=](Index j) { return static_cast<double>(values[j]); };
  if (weights == nullptr) return {sum_of(n, value), static_cast<double>(n)};
  const auto weight = [=](Index j) { return static_cast<double>(weights[j]); };
  return {sum_of(n, [=](Index j) { return weight(j) * value(j); }), sum_of(n, weight)};
}

template <class T>
void Executor<T>::run_terms(Program<T>& p) noexcept {
  const Index rows = p.slice().rows;
  const auto batch = static_cast<double>(p.slice().batch);
  const double enlarged = request_.mode == Mode::train ? update_->loss_scale() : 1;
  for (std::size_t i = 0; i < p.terms().size(); ++i) {
    const TermCode<T>& term = p.terms()[i];
    const Index n = term.whole_batch ? 1 : rows;
    if (term.values == nullptr) continue;
    Total* const totals = p.totals().data() + term.first;
    if (term.tabular) {
      add_columns(term, n, totals);
      continue;
    }
    const auto [sum, weight_sum] = weighted_sum(n, term.values, term.weights);
    const bool mean = term.reduction == Reduction::sum_over_batch_size;
    // What holds for the whole batch counts for all of its samples.
    const double samples = term.whole_batch ? batch : static_cast<double>(rows);
    *totals = {term.metric || mean ? sum : sum * batch, term.metric ? weight_sum : samples};
    if (term.gradient == nullptr) continue;
    const double scale = enlarged * (mean ? term.weight / batch : term.weight);
    if (term.weights == nullptr) {
      std::fill_n(term.gradient, n, static_cast<T>(scale));
    } else {
      for (Index j = 0; j < n; ++j) term.gradient[j] = static_cast<T>(scale * static_cast<double>(term.weights[j]));
    }
  }
}

template <class T>
void Executor<T>::add_totals(Program<T>& p) noexcept {
  for (std::size_t i = 0; i < p.totals().size(); ++i) {
    totals_[i].numerator += p.totals()[i].numerator;
    totals_[i].denominator += p.totals()[i].denominator;
  }
}

template <class T>
void Executor<T>::scatter(const Program<T>& p, Index first_row) noexcept {
  if (request_.sinks.empty()) return;
  for (const Port& port : p.outputs()) {
    const Sink& sink = request_.sinks[static_cast<std::size_t>(port.position)];
    std::memcpy(sink.data + first_row * sink.bytes_per_sample, port.data,
                static_cast<std::size_t>(p.slice().rows * sink.bytes_per_sample));
  }
}

template <class T>
void Executor<T>::update(const std::vector<const T*>& gradients, double learning_rate, std::uint64_t iteration) {
  begun_ = false;
  if (params_.size() != plan_.params.size()) misuse("The executor has no parameters: call bind_parameters first.");
  if (!update_) misuse("The executor has no update rule: call bind_update first.");
  if (gradients_.size() == 0 && gradient_size_ > 0) {
    gradients_ = Buffer(multiply(gradient_size_, sizeof(T)));
    for (auto& [key, each] : batches_) each->detach();
  }
  // Clipping by norm changes the gradient: not the caller's.
  for (std::size_t i = 0; i < params_.size(); ++i)
    if (const Index offset = gradient_offsets_[i]; offset >= 0)
      std::copy_n(gradients[static_cast<std::size_t>(trained_[i])], param_sizes_[i], gradient_data() + offset);
  step_ = update_->numbers(learning_rate, iteration);
  const std::size_t params = params_.size();
  const auto segments = segments_of(std::vector<bool>(params), std::vector<Penalty>(params));
  const double work = kUpdateWork * static_cast<double>(gradient_size_);
  const double threads = team_work_ > 0 ? std::min(work / team_work_, 1024.0) : 1024.0;
  const int most = std::min(num_threads(), std::max(1, static_cast<int>(threads)));
  if (update_choice_.most() != most || update_choice_.batches() == 0)
    update_choice_ = team_work_ > 0 ? TeamChoice(most, work) : TeamChoice::always(most);
  const SubnormalScope flush(true);
  const auto started = Clock::now();
  run_team(update_choice_.team(), [&](const Worker& who) {
    update_->apply(kernels_, step_, segments, gradient_data(), slots_, who);
    if (constraints_.empty()) return;
    who.sync();
    constrain(who);
  });
  update_choice_.ran(1, Pace::seconds(Clock::now() - started));
}

template <class T>
const Program<T>& Executor<T>::inspect(RunRequest request, bool training) {
  begun_ = false;
  if (params_.size() != plan_.params.size()) misuse("The executor has no parameters: call bind_parameters first.");
  check(request.rows >= 1, "The arrays must have at least one row.");
  inspected_ = std::make_unique<Program<T>>(plan_, wiring_, gradient_offsets_, table_, Mode::inspect,
                                            Slice{0, request.rows, request.rows}, team_work_, false);
  Program<T>& p = *inspected_;
  check_feeds(request, p);
  inspected_arena_ = Buffer(p.arena_bytes());
  gradients_ = Buffer(multiply(gradient_size_, sizeof(T)));
  for (auto& [key, each] : batches_) each->detach();
  p.attach(inspected_arena_.data(), params_, gradient_data(), sinks_);
  p.run_state().training = training;
  p.run_state().iteration = request.iteration;
  order_.clear();
  request_ = std::move(request);
  Pace pace;
  run_team(std::min(num_threads(), p.useful_threads()), [&](const Worker& who) {
    std::int64_t tick = 0;
    run_together(p, 0, tick, pace, who);
  });
  interrupted_ = pace.failed;
  return p;
}

template class Executor<float>;
template class Executor<double>;

}  // namespace fastgd

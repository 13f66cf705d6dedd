// What the recurrent ops share: a whole sequence forward and back, and the gradients of the weights at its end.
//
// Each thread takes some samples through all steps and waits for nobody. A row of operands holds h, x and perhaps a
// gated h side by side, so that the sums of a step are one product with the two kernels stacked, which stay packed for
// the whole sequence. Rows of operands and of sums are kept step by step: in the end the gradients of the weights are
// products over all of them.
//
// With a mask only the rows that are not skipped are kept. The samples are taken in the order of their lengths, so that
// those left at a step are neighbours, whether the padding comes first or last.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "ops/matmul.h"

namespace fastgd {

template <class T>
class RecurrentOp : public Op<T> {
 public:
  void forward(const Call<T>& c, const Worker& who) const noexcept final {
    const Kernels<T>& k = *c.kernels;
    const Saved saved = saved_in(c);
    const ForwardRoom room = forward_room(c);
    if (masked_ && who.rank == 0) find_rows(c, saved);
    pack_kernels(c, room.packed, who);
    if (who.rank == 0) add_biases(c, room.bias);
    who.sync();
    const Range own = who.share(n_);
    T* const h = room.h;
    T* const state = room.state;
    for (Index row = own.begin; row < own.end; ++row) {
      copy(initial(c, 0), saved.sample(row), h + row * u_);
      if (states_ == 2) copy(initial(c, 1), saved.sample(row), state + row * u_);
    }
    // What no gradient will be taken from need not be kept, and stays in the caches.
    const bool keeps = c.run->differentiates;
    for (Index step = 0; step < t_; ++step) {
      const Range rows = saved.rows(step, own);
      if (rows.size() > 0) {
        const Index at = keeps ? saved.place(step, rows.begin) : rows.begin;
        const Block b = block(c, saved, step, rows, at, h, state);
        load_operands(c, saved, step, b);
        this->step(k, b, room);
      }
      if (sequences_)
        for (Index row = own.begin; row < own.end; ++row) {
          const Index sample = saved.sample(row);
          put(h + row * u_, shown(c, saved, sample, step), c.y[0] + (sample * t_ + step) * u_);
        }
    }
    for (Index row = own.begin; row < own.end; ++row) {
      const Index sample = saved.sample(row);
      if (!sequences_) put(h + row * u_, t_ == 0 || shown(c, saved, sample, t_ - 1), c.y[0] + sample * u_);
      for (int s = 0; s < states_; ++s) {
        const T* const last = (s == 0 ? h : state) + row * u_;
        put(last, true, c.y[1 + s] + sample * u_);
        if (stateful_ && c.written[state_param(s)] != nullptr) put(last, true, c.written[state_param(s)] + sample * u_);
      }
    }
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept final {
    const Kernels<T>& k = *c.kernels;
    const Saved saved = saved_in(c);
    const BackwardRoom room = backward_room(c);
    pack_transposed(c, room.packed, who);
    who.sync();
    const Range own = who.share(n_);
    T* const dh = room.h;
    T* const ds = room.state;
    for (Index row = own.begin; row < own.end; ++row) {
      const Index sample = saved.sample(row);
      copy(c.dy[1], sample, dh + row * u_);
      if (states_ == 2) copy(c.dy[2], sample, ds + row * u_);
      if (!sequences_ && c.dy[0] != nullptr && (t_ == 0 || shown(c, saved, sample, t_ - 1)))
        k.add(u_, dh + row * u_, c.dy[0] + sample * u_, dh + row * u_);
    }
    for (Index step = t_ - 1; step >= 0; --step) {
      if (sequences_ && c.dy[0] != nullptr)
        for (Index row = own.begin; row < own.end; ++row) {
          const Index sample = saved.sample(row);
          if (shown(c, saved, sample, step))
            k.add(u_, dh + row * u_, c.dy[0] + (sample * t_ + step) * u_, dh + row * u_);
        }
      const Range rows = saved.rows(step, own);
      if (c.dx[0] != nullptr) {
        for (Index row = own.begin; row < std::min(own.end, rows.begin); ++row) clear_dx(c, saved.sample(row), step);
        for (Index row = std::max(own.begin, rows.end); row < own.end; ++row) clear_dx(c, saved.sample(row), step);
      }
      if (rows.size() == 0) continue;
      const Block b = block(c, saved, step, rows, saved.place(step, rows.begin), dh, ds);
      T* const d_operands = room.operands + rows.begin * width_;
      clear_skipped(b);
      this->step_backward(k, b, d_operands, room, c.dx[0] != nullptr);
      for (Index i = 0; i < b.rows; ++i) spread_operands(k, c, saved, step, b, i, d_operands + i * width_);
    }
    for (int s = 0; s < states_ && initial_; ++s)
      if (c.dx[1 + s] != nullptr)
        for (Index row = own.begin; row < own.end; ++row)
          put((s == 0 ? dh : ds) + row * u_, true, c.dx[1 + s] + saved.sample(row) * u_);
    who.sync();
    differentiate_weights(c, saved, room, who);
  }

 protected:
  // The parts of a row of operands: what stands there, and the kernel that it meets.
  enum Part : int { kState, kInput, kGated };

  // Columns col .. col + cols of the sums: the parts first .. last of the operands times the columns of their kernels
  // from `gate` on.
  struct Sums {
    Index col = 0, cols = 0, gate = 0;
    Part first = kState, last = kInput;
  };

  // Columns of the sums that the numbers of the bias from `at` on are added to.
  struct Bias {
    Index col = 0, cols = 0, at = 0;
  };

  // What tells the cells apart.
  struct Cell {
    Index gates = 1;    // columns of the kernels, in units
    Index columns = 1;  // of the sums, in units
    int states = 1;
    bool gated = false;        // whether the operands end with a gated h
    bool keeps_h = false;      // whether `before` holds h, not the carry
    bool passes_h = false;     // whether h also goes on past the gates
    std::vector<Sums> sums;    // columns in units
    std::vector<Bias> biases;  // in units
  };

  struct ForwardRoom {
    T *packed, *bias, *h, *state;
  };
  struct BackwardRoom {
    T *packed, *h, *state, *operands, *products;
  };

  // Neighbouring samples at one step: `h` and `state` are the running ones, in backward their gradients.
  struct Block {
    Index first = 0, rows = 0;
    T *operands = nullptr, *sums = nullptr, *before = nullptr;
    Index before_row = 0;
    T *h = nullptr, *state = nullptr;
    // The mask at this step of the sample in each row, if there is one.
    const T* mask = nullptr;
    const Index* order = nullptr;
    Index mask_row = 0;

    bool active(Index row) const { return mask == nullptr || mask[order[row] * mask_row] != T(0); }
    // The next rows that are not skipped, from row `from` on; empty at the end.
    Range run(Index from) const {
      if (mask == nullptr) return {from, rows};
      while (from < rows && !active(from)) ++from;
      Index end = from;
      while (end < rows && active(end)) ++end;
      return {from, end};
    }
  };

  RecurrentOp(const OpSetup& s, Cell cell) : cell_(std::move(cell)), states_(cell_.states) {
    const Attrs& attrs = s.attrs;
    sequences_ = attrs.flag("return_sequences", false);
    backwards_ = attrs.flag("go_backwards", false);
    biased_ = attrs.flag("use_bias", true);
    initial_ = attrs.flag("initial_state", false);
    dropped_ = attrs.flag("recurrent_dropout", false);
    masked_ = attrs.flag("masked", false);
    stateful_ = attrs.flag("stateful", false);
    zero_skipped_ = attrs.flag("zero_output_for_mask", false);
    functions_.state = {Activation::tanh};
    if (attrs.given("activation")) functions_.state = parse_fused_activation<T>(attrs);
    dropout_input_ = initial_ ? 1 + states_ : 1;
    mask_input_ = dropout_input_ + (dropped_ ? 1 : 0);
    const std::size_t inputs = static_cast<std::size_t>(mask_input_ + (masked_ ? 1 : 0));
    s.expect_inputs(inputs);
    const std::size_t params = 2 + (biased_ ? 1 : 0) + static_cast<std::size_t>(stateful_ ? states_ : 0);
    s.expect_params(params, params);
    const Shape& x = s.inputs[0].shape;
    check(x.size() == 3, "takes an input (batch, time, features). Received: ", to_string(x));
    n_ = x[0], t_ = x[1], i_ = x[2];
    const Shape& w = s.params[0];
    const Shape& r = s.params[1];
    check(r.size() == 2 && r[1] == cell_.gates * r[0], "the recurrent kernel must be (units, ", cell_.gates,
          " units). Received: ", to_string(r));
    u_ = r[0];
    check(w == Shape{i_, cell_.gates * u_}, "the kernel ", to_string(w), " does not fit the input ", to_string(x),
          " and the recurrent kernel ", to_string(r));
    if (biased_) check_bias(s.params[2]);
    for (int i = 1; i < dropout_input_ + (dropped_ ? 1 : 0); ++i)
      check(s.inputs[static_cast<std::size_t>(i)].shape == Shape{n_, u_}, "states and factors must be ",
            to_string(Shape{n_, u_}), ". Received: ", to_string(s.inputs[static_cast<std::size_t>(i)].shape));
    for (std::size_t i = params - static_cast<std::size_t>(stateful_ ? states_ : 0); i < params; ++i)
      check(s.params[i] == Shape{n_, u_}, "a stateful layer keeps states for batches of one size, ",
            to_string(s.params[i]), ". Received: a batch that needs ", to_string(Shape{n_, u_}));
    if (masked_)
      check(s.inputs.back().shape == Shape{n_, t_}, "the mask must be ", to_string(Shape{n_, t_}),
            ". Received: ", to_string(s.inputs.back().shape));
    plan(s.table.of<T>());
    auto& t = this->traits;
    t.outputs = {{sequences_ ? Shape{n_, t_, u_} : Shape{n_, u_}}};
    for (int state = 0; state < states_; ++state) t.outputs.push_back({Shape{n_, u_}});
    t.backward_reads_inputs = (masked_ ? 1u << mask_input_ : 0u) | (dropped_ ? 1u << dropout_input_ : 0u);
    t.gradient_inputs = (1u << dropout_input_) - 1;
    t.couples_samples = stateful_;
    t.carries_state = stateful_;
    if (stateful_) t.writes_params = ((1u << states_) - 1) << state_param(0);
  }

  void parse_gates(const Attrs& attrs) {
    functions_.gates = {Activation::sigmoid};
    if (!attrs.given("recurrent_activation")) return;
    functions_.gates = parse_activation<T>(attrs, "recurrent_activation");
    check(derives_from_output(functions_.gates.function), "`recurrent_activation` must be a function whose derivative ",
          "follows from its output. Received: recurrent_activation='", attrs.text("recurrent_activation", ""), "'");
  }

  // Calls body(row, rows, sums) for each run of rows of a block that are not skipped.
  template <class F>
  void for_runs(const Block& b, const F& body) const noexcept {
    for (Range run = b.run(0); run.size() > 0; run = b.run(run.end))
      body(run.begin, run.size(), b.sums + run.begin * sums_);
  }

  // Sums of a block: the product number `which`.
  void multiply(const Kernels<T>& k, std::size_t which, const Block& b, const ForwardRoom& room) const noexcept {
    const Sums& s = cell_.sums[which];
    Gemm<T> g;
    g.m = b.rows, g.n = s.cols * u_, g.k = depth(s);
    g.a = b.operands + offset(s.first), g.a_row = width_, g.a_col = 1;
    g.b = room.packed + packed_[which], g.b_row = k.tile_cols, g.b_panel = panel(k, g.k);
    g.c = b.sums + s.col * u_, g.c_row = sums_;
    if (biased_) g.epilogue.bias = room.bias + s.col * u_;
    k.gemm(g);
  }

  // The gradient by the operands' parts of the product number `which`; with `adds` they are added to what is there.
  void multiply_back(const Kernels<T>& k, std::size_t which, const Block& b, T* d_operands, const BackwardRoom& room,
                     bool wants_input, bool adds) const noexcept {
    const Sums& s = cell_.sums[which];
    Index at = transposed_[which];
    for (int part = s.first; part <= s.last; ++part) {
      Gemm<T> g;
      g.m = b.rows, g.n = size(part), g.k = s.cols * u_;
      g.a = b.sums + s.col * u_, g.a_row = sums_, g.a_col = 1;
      g.b = room.packed + at, g.b_row = k.tile_cols, g.b_panel = panel(k, g.k);
      g.c = d_operands + offset(part), g.c_row = width_;
      g.accumulate = adds;
      at += panels(k, g.n) * g.b_panel;
      if (part != kInput || wants_input) k.gemm(g);
    }
  }

  // One step of the samples of a block: sums, gates, state.
  virtual void step(const Kernels<T>& k, const Block& b, const ForwardRoom& room) const noexcept = 0;
  // Back: b.sums become their gradients, d_operands those of the operands, b.h and b.state what passes by the gates.
  virtual void step_backward(const Kernels<T>& k, const Block& b, T* d_operands, const BackwardRoom& room,
                             bool wants_input) const noexcept = 0;

  Index units() const { return u_; }
  Index width() const { return width_; }
  Index sums_width() const { return sums_; }
  Index offset(int part) const { return part == kState ? 0 : part == kInput ? u_ : u_ + i_; }

  CellFunctions<T> functions_;

 private:
  // What is kept of the forward pass, and where the rows of a step lie in it.
  struct Saved {
    T *operands, *sums, *before;
    // With a mask: the samples by their length, and the first step of each; the rows and the place of each step.
    Index *order, *begins, *low, *high, *places;
    Index n;

    Index sample(Index row) const { return order == nullptr ? row : order[row]; }
    Range rows(Index step, Range own) const {
      if (order == nullptr) return own;
      const Range all{std::max(own.begin, low[step]), std::min(own.end, high[step])};
      return all.begin < all.end ? all : Range{own.begin, own.begin};
    }
    Index place(Index step, Index row) const {
      return order == nullptr ? step * n + row : places[step] + row - low[step];
    }
  };

  void check_bias(const Shape& b) const {
    Index numbers = 0;
    for (const Bias& part : cell_.biases) numbers = std::max(numbers, part.at + part.cols);
    const Index rows = numbers / cell_.gates;
    const Shape expected = rows == 1 ? Shape{cell_.gates * u_} : Shape{rows, cell_.gates * u_};
    check(b == expected, "the bias must be ", to_string(expected), ". Received: ", to_string(b));
  }

  int state_param(int state) const { return 2 + (biased_ ? 1 : 0) + state; }
  Index size(int part) const { return part == kInput ? i_ : u_; }
  Index depth(const Sums& s) const { return offset(s.last) + size(s.last) - offset(s.first); }
  static Index panels(const Kernels<T>& k, Index cols) { return (cols + k.tile_cols - 1) / k.tile_cols; }
  // A line more than a panel holds, or panels of a round depth would share cache sets.
  static Index panel(const Kernels<T>& k, Index depth) { return k.tile_cols * (depth + 1); }
  // The time that a step looks at.
  Index time(Index step) const { return backwards_ ? t_ - 1 - step : step; }
  // Whether the output of a step is h and not zero: skipped steps repeat the output before.
  bool shown(const Call<T>& c, const Saved& s, Index sample, Index step) const {
    if (!masked_) return true;
    return zero_skipped_ ? c.x[mask_input_][sample * t_ + time(step)] != T(0) : s.begins[sample] <= step;
  }

  void plan(const Kernels<T>& k) {
    constexpr Index bytes = static_cast<Index>(sizeof(T));
    width_ = u_ + i_ + (cell_.gated ? u_ : 0);
    // Rows whose distance is a multiple of a page share cache sets.
    if (width_ * bytes % 2048 == 0) width_ += 64 / bytes;
    sums_ = cell_.columns * u_;
    const Index rows = fastgd::multiply(n_, t_);
    keeps_before_ = cell_.states == 2 || (cell_.keeps_h && dropped_);
    sums_at_ = round_up(fastgd::multiply(rows, width_), 16);
    before_at_ = sums_at_ + round_up(fastgd::multiply(rows, sums_), 16);
    const Index values = before_at_ + (keeps_before_ ? round_up(fastgd::multiply(rows, u_), 16) : 0);
    indices_at_ = fastgd::multiply(values, bytes);
    auto& t = this->traits;
    t.saved_bytes = indices_at_ + (masked_ ? (2 * n_ + 4 * t_ + 4) * static_cast<Index>(sizeof(Index)) : 0);
    Index forward = 0, backward = 0, products = 0;
    double work = 0;
    for (const Sums& s : cell_.sums) {
      packed_.push_back(forward);
      transposed_.push_back(backward);
      results_.push_back(products);
      scratches_.push_back(products + round_up(depth(s) * s.cols * u_, 16));
      products = scratches_.back() + round_up(weights_product(k, s, rows).scratch_bytes(), 64) / bytes;
      forward += panels(k, s.cols * u_) * panel(k, depth(s));
      for (int part = s.first; part <= s.last; ++part) {
        backward += panels(k, size(part)) * panel(k, s.cols * u_);
        work += 2.0 * static_cast<double>(rows) * static_cast<double>(size(part) * s.cols * u_);
      }
    }
    const Index states = 2 * round_up(n_ * u_, 16);
    forward_packed_ = round_up(forward, 16), backward_packed_ = round_up(backward, 16);
    t.forward_scratch = (forward_packed_ + round_up(sums_, 16) + states) * bytes;
    t.backward_scratch = (backward_packed_ + states + round_up(n_ * width_, 16) + products) * bytes;
    t.forward_work = work + 40.0 * static_cast<double>(rows * sums_);
    t.backward_work = 2.0 * work + 20.0 * static_cast<double>(rows * sums_);
  }

  Saved saved_in(const Call<T>& c) const {
    T* const values = reinterpret_cast<T*>(c.saved);
    Saved s{values, values + sums_at_, values + before_at_, nullptr, nullptr, nullptr, nullptr, nullptr, n_};
    if (!masked_) return s;
    s.order = reinterpret_cast<Index*>(c.saved + indices_at_);
    s.begins = s.order + n_;
    s.low = s.begins + n_;
    s.high = s.low + t_;
    s.places = s.high + t_;
    return s;
  }

  ForwardRoom forward_room(const Call<T>& c) const {
    T* const at = c.scratch_values();
    T* const bias = at + forward_packed_;
    T* const h = bias + round_up(sums_, 16);
    return {at, bias, h, h + round_up(n_ * u_, 16)};
  }

  BackwardRoom backward_room(const Call<T>& c) const {
    T* const at = c.scratch_values();
    T* const h = at + backward_packed_;
    T* const state = h + round_up(n_ * u_, 16);
    T* const operands = state + round_up(n_ * u_, 16);
    return {at, h, state, operands, operands + round_up(n_ * width_, 16)};
  }

  // Sorts the samples by the steps that are not skipped, longest first, and finds for each step the rows that hold all
  // those left.
  void find_rows(const Call<T>& c, const Saved& s) const noexcept {
    const T* const mask = c.x[mask_input_];
    Index* const starts = s.places + t_ + 1;  // of the samples of each length, the longest first
    std::fill(starts, starts + t_ + 1, Index(0));
    const auto skipped = [&](Index i) { return std::count(mask + i * t_, mask + (i + 1) * t_, T(0)); };
    for (Index i = 0; i < n_; ++i) ++starts[skipped(i)];
    Index start = 0;
    for (Index j = 0; j <= t_; ++j) start += std::exchange(starts[j], start);
    for (Index i = 0; i < n_; ++i) {
      s.order[starts[skipped(i)]++] = i;
      s.begins[i] = 0;
      while (s.begins[i] < t_ && mask[i * t_ + time(s.begins[i])] == T(0)) ++s.begins[i];
    }
    s.places[0] = 0;
    for (Index step = 0; step < t_; ++step) {
      Index low = n_, high = 0;
      for (Index row = 0; row < n_; ++row)
        if (mask[s.order[row] * t_ + time(step)] != T(0)) low = std::min(low, row), high = row + 1;
      s.low[step] = std::min(low, high), s.high[step] = high;
      s.places[step + 1] = s.places[step] + high - s.low[step];
    }
  }

  Index kept_rows(const Saved& s) const { return masked_ ? s.places[t_] : n_ * t_; }

  Block block(const Call<T>& c, const Saved& s, Index step, Range rows, Index at, T* h, T* state) const {
    Block b;
    b.first = rows.begin, b.rows = rows.size();
    b.operands = s.operands + at * width_;
    b.sums = s.sums + at * sums_;
    b.before = keeps_before_ ? s.before + at * u_ : b.operands;
    b.before_row = keeps_before_ ? u_ : width_;
    b.h = h + rows.begin * u_;
    b.state = state + rows.begin * u_;
    if (masked_) b.mask = c.x[mask_input_] + time(step), b.order = s.order + rows.begin, b.mask_row = t_;
    return b;
  }

  // One row of units, or zeros where there is none.
  void copy(const T* from, Index row, T* to) const {
    if (from == nullptr) {
      std::fill(to, to + u_, T(0));
    } else {
      std::copy(from + row * u_, from + (row + 1) * u_, to);
    }
  }
  void put(const T* from, bool shown, T* to) const { copy(shown ? from : nullptr, 0, to); }

  const T* initial(const Call<T>& c, int state) const {
    return initial_ ? c.x[1 + state] : stateful_ ? c.w[state_param(state)] : nullptr;
  }

  void load_operands(const Call<T>& c, const Saved& s, Index step, const Block& b) const noexcept {
    for (Index i = 0; i < b.rows; ++i) {
      const Index sample = s.sample(b.first + i);
      T* const row = b.operands + i * width_;
      const T* const h = b.h + i * u_;
      if (dropped_) {
        const T* const keep = c.x[dropout_input_] + sample * u_;
        for (Index j = 0; j < u_; ++j) row[j] = h[j] * keep[j];
      } else {
        std::copy(h, h + u_, row);
      }
      const T* const x = c.x[0] + (sample * t_ + time(step)) * i_;
      std::copy(x, x + i_, row + u_);
      if (keeps_before_) {
        const T* const kept = states_ == 2 ? b.state + i * u_ : h;
        std::copy(kept, kept + u_, b.before + i * u_);
      }
    }
  }

  // Skipped rows between others have no gradient.
  void clear_skipped(const Block& b) const noexcept {
    for (Index i = 0; i < b.rows; ++i)
      if (!b.active(i)) {
        std::fill(b.sums + i * sums_, b.sums + (i + 1) * sums_, T(0));
        // Their operands may never have been computed, but they meet that zero.
        if (cell_.gated) std::fill(b.operands + i * width_ + u_ + i_, b.operands + (i + 1) * width_, T(0));
      }
  }

  void clear_dx(const Call<T>& c, Index sample, Index step) const noexcept {
    T* const dx = c.dx[0] + (sample * t_ + time(step)) * i_;
    std::fill(dx, dx + i_, T(0));
  }

  // The gradient of one row of operands goes to x and to the h before.
  void spread_operands(const Kernels<T>& k, const Call<T>& c, const Saved& s, Index step, const Block& b, Index i,
                       T* d) const noexcept {
    const Index sample = s.sample(b.first + i);
    if (!b.active(i)) {
      if (c.dx[0] != nullptr) clear_dx(c, sample, step);
      return;
    }
    if (dropped_) {
      const T* const keep = c.x[dropout_input_] + sample * u_;
      for (Index j = 0; j < u_; ++j) d[j] *= keep[j];
    }
    T* const dh = b.h + i * u_;
    if (cell_.passes_h) {
      k.add(u_, dh, d, dh);
    } else {
      std::copy(d, d + u_, dh);
    }
    if (c.dx[0] != nullptr) std::copy(d + u_, d + u_ + i_, c.dx[0] + (sample * t_ + time(step)) * i_);
  }

  void pack_kernels(const Call<T>& c, T* packed, const Worker& who) const noexcept {
    const Kernels<T>& k = *c.kernels;
    for (std::size_t which = 0; which < cell_.sums.size(); ++which) {
      const Sums& s = cell_.sums[which];
      const Index row = cell_.gates * u_, step = panel(k, depth(s));
      const Range cols = who.share(s.cols * u_, k.tile_cols);
      if (cols.size() == 0) continue;
      for (int part = s.first; part <= s.last; ++part) {
        T* const to =
            packed + packed_[which] + cols.begin / k.tile_cols * step + (offset(part) - offset(s.first)) * k.tile_cols;
        k.pack_cols(size(part), cols.size(), kernel(c, part) + s.gate * u_ + cols.begin, row, 1, to, step);
      }
    }
  }

  void pack_transposed(const Call<T>& c, T* packed, const Worker& who) const noexcept {
    const Kernels<T>& k = *c.kernels;
    for (std::size_t which = 0; which < cell_.sums.size(); ++which) {
      const Sums& s = cell_.sums[which];
      const Index row = cell_.gates * u_, step = panel(k, s.cols * u_);
      T* to = packed + transposed_[which];
      for (int part = s.first; part <= s.last; ++part) {
        const Range cols = who.share(size(part), k.tile_cols);
        if (cols.size() > 0 && (part != kInput || c.dx[0] != nullptr))
          k.pack_cols(s.cols * u_, cols.size(), kernel(c, part) + cols.begin * row + s.gate * u_, 1, row,
                      to + cols.begin / k.tile_cols * step, step);
        to += panels(k, size(part)) * step;
      }
    }
  }

  const T* kernel(const Call<T>& c, int part) const { return part == kInput ? c.w[0] : c.w[1]; }

  void add_biases(const Call<T>& c, T* bias) const noexcept {
    std::fill(bias, bias + sums_, T(0));
    if (!biased_) return;
    for (const Bias& part : cell_.biases)
      for (Index j = 0; j < part.cols * u_; ++j) bias[part.col * u_ + j] += c.w[2][part.at * u_ + j];
  }

  // The product that gives the gradient of what the sums `s` meet of the kernels, stacked, over `rows` rows.
  Product<T> weights_product(const Kernels<T>& k, const Sums& s, Index rows) const {
    ProductShape shape{depth(s), s.cols * u_, rows, true, false};
    shape.a_stride = width_, shape.b_stride = sums_, shape.c_stride = shape.n;
    return {k, shape};
  }

  // Rows of a product's result go to the columns of the kernel that they are the gradient of.
  void hand_out(const Call<T>& c, const Sums& s, int part, const T* result, const Worker& who) const noexcept {
    const int param = part == kInput ? 0 : 1;
    if (c.dw[param] == nullptr) return;
    const Index cols = s.cols * u_;
    const Range lines = who.share(size(part));
    for (Index i = lines.begin; i < lines.end; ++i) {
      const T* const from = result + i * cols;
      T* const to = c.dw[param] + i * cell_.gates * u_ + s.gate * u_;
      if (c.dw_accumulate[param]) {
        c.kernels->add(cols, to, from, to);
      } else {
        std::copy(from, from + cols, to);
      }
    }
  }

  void differentiate_weights(const Call<T>& c, const Saved& saved, const BackwardRoom& room,
                             const Worker& who) const noexcept {
    const Kernels<T>& k = *c.kernels;
    const Index rows = kept_rows(saved);
    const bool wanted = c.dw[0] != nullptr || c.dw[1] != nullptr;
    for (std::size_t which = 0; wanted && which < cell_.sums.size(); ++which) {
      const Sums& s = cell_.sums[which];
      weights_product(k, s, rows)
          .run(k, saved.operands + offset(s.first), saved.sums + s.col * u_, room.products + results_[which], false, {},
               room.products + scratches_[which], who);
    }
    who.sync();
    for (std::size_t which = 0; wanted && which < cell_.sums.size(); ++which) {
      const Sums& s = cell_.sums[which];
      for (int part = s.first; part <= s.last; ++part)
        hand_out(c, s, part, room.products + results_[which] + (offset(part) - offset(s.first)) * s.cols * u_, who);
    }
    if (!biased_ || c.dw[2] == nullptr) return;
    for (const Bias& part : cell_.biases) {
      const Range cols = who.share(part.cols * u_, k.lanes);
      if (cols.size() > 0)
        k.column_sum(rows, cols.size(), saved.sums + part.col * u_ + cols.begin, sums_,
                     c.dw[2] + part.at * u_ + cols.begin, c.dw_accumulate[2]);
    }
  }

  Cell cell_;
  int states_;
  Index n_ = 0, t_ = 0, i_ = 0, u_ = 0;
  Index width_ = 0, sums_ = 0;  // of a row of operands and of one of sums
  bool sequences_ = false, backwards_ = false, biased_ = false, initial_ = false, dropped_ = false, masked_ = false;
  bool stateful_ = false, zero_skipped_ = false, keeps_before_ = false;
  int dropout_input_ = 0, mask_input_ = 0;
  // Elements, but for the place of the indices, which counts bytes.
  Index sums_at_ = 0, before_at_ = 0, indices_at_ = 0;
  Index forward_packed_ = 0, backward_packed_ = 0;
  // Where the packed kernels of each product begin, and the result and the scratch of that for the weights.
  std::vector<Index> packed_, transposed_, results_, scratches_;
};

}  // namespace fastgd

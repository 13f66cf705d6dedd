// What the recurrent ops share: a whole sequence forward and back, and the gradients of the weights at its end.
//
// Each thread takes some samples through all steps and waits for nobody; where there are too few samples, each takes
// some units of all samples, and the team meets at every step. Rows of operands and of sums are kept step by step: in
// the end the gradients of the weights are products over all of them.
#pragma once

#include "ops/recurrent_layout.h"

namespace fastgd {

template <class T>
class RecurrentOp : public RecurrentLayout<T> {
  using Base = RecurrentLayout<T>;

 protected:
  using Base::add_biases, Base::backward_room, Base::block, Base::depth, Base::find_rows, Base::forward_room;
  using Base::backwards_, Base::biased_, Base::cell_, Base::dropped_, Base::initial_, Base::keeps_before_,
      Base::masked_;
  using Base::dropout_input_, Base::i_, Base::n_, Base::sums_, Base::t_, Base::u_, Base::width_;
  using Base::functions_;
  using Base::kept_rows, Base::offset, Base::pack_kernels, Base::pack_transposed, Base::panel, Base::panels;
  using Base::kInput, Base::kState;
  using Base::packed_, Base::results_, Base::scratches_, Base::transposed_;
  using Base::saved_in, Base::shown, Base::size, Base::state_param, Base::time, Base::weights_product;
  using Base::sequences_, Base::stateful_, Base::states_;
  using typename Base::BackwardRoom;
  using typename Base::Bias;
  using typename Base::Block;
  using typename Base::Cell;
  using typename Base::ForwardRoom;
  using typename Base::Saved;
  using typename Base::Sums;

 public:
  void forward(const Call<T>& c, const Worker& who) const noexcept final {
    const Kernels<T>& k = *c.kernels;
    const Saved saved = saved_in(c);
    const ForwardRoom room = forward_room(c);
    if (masked_ && who.rank == 0) find_rows(c, saved);
    pack_kernels(c, room.packed, who);
    if (who.rank == 0) add_biases(c, room.bias);
    who.sync();
    const Share own = share(k, who);
    T* const h = room.h;
    T* const state = room.state;
    for (Index row = own.lines.begin; row < own.lines.end; ++row) {
      copy(initial(c, 0), saved.sample(row), h + row * u_);
      if (states_ == 2) copy(initial(c, 1), saved.sample(row), state + row * u_);
    }
    // What no gradient will be taken from need not be kept, and stays in the caches.
    const bool keeps = c.run->differentiates;
    for (Index step = 0; step < t_; ++step) {
      const Range rows = saved.rows(step, own.rows);
      if (rows.size() > 0) {
        const Index at = keeps ? saved.place(step, rows.begin) : rows.begin;
        const Block b = block(c, saved, step, rows, at, h, state);
        load_operands(c, saved, step, b, own.lines);
        own.meet();
        this->step(k, b, room, own);
        own.meet();
      }
      if (sequences_)
        for (Index row = own.lines.begin; row < own.lines.end; ++row) {
          const Index sample = saved.sample(row);
          put(h + row * u_, shown(c, saved, sample, step), c.y[0] + (sample * t_ + step) * u_);
        }
    }
    for (Index row = own.lines.begin; row < own.lines.end; ++row) {
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
    const Share own = share(k, who);
    T* const dh = room.h;
    T* const ds = room.state;
    for (Index row = own.lines.begin; row < own.lines.end; ++row) {
      const Index sample = saved.sample(row);
      copy(c.dy[1], sample, dh + row * u_);
      if (states_ == 2) copy(c.dy[2], sample, ds + row * u_);
      if (!sequences_ && c.dy[0] != nullptr && (t_ == 0 || shown(c, saved, sample, t_ - 1)))
        k.add(u_, dh + row * u_, c.dy[0] + sample * u_, dh + row * u_);
    }
    for (Index step = t_ - 1; step >= 0; --step) {
      if (sequences_ && c.dy[0] != nullptr)
        for (Index row = own.lines.begin; row < own.lines.end; ++row) {
          const Index sample = saved.sample(row);
          if (shown(c, saved, sample, step))
            k.add(u_, dh + row * u_, c.dy[0] + (sample * t_ + step) * u_, dh + row * u_);
        }
      const Range rows = saved.rows(step, own.rows);
      if (c.dx[0] != nullptr)
        for (Index row = own.lines.begin; row < own.lines.end; ++row)
          if (row < rows.begin || row >= rows.end) clear_dx(c, saved.sample(row), step);
      if (rows.size() == 0) continue;
      const Block b = block(c, saved, step, rows, saved.place(step, rows.begin), dh, ds);
      T* const d_operands = room.operands + rows.begin * width_;
      const Range lines = lines_of(b, own.lines);
      for (Index i = lines.begin; i < lines.end; ++i) clear_skipped(b, i);
      own.meet();
      this->step_backward(k, b, d_operands, room, c.dx[0] != nullptr, own);
      own.meet();
      for (Index i = lines.begin; i < lines.end; ++i) spread_operands(k, c, saved, step, b, i, d_operands + i * width_);
    }
    for (int s = 0; s < states_ && initial_; ++s)
      if (c.dx[1 + s] != nullptr)
        for (Index row = own.lines.begin; row < own.lines.end; ++row)
          put((s == 0 ? dh : ds) + row * u_, true, c.dx[1 + s] + saved.sample(row) * u_);
    who.sync();
    differentiate_weights(c, saved, room, who);
  }

 protected:
  // What one thread does of each step: the samples that its products and cells take, of those the rows that it moves
  // about, and the units.
  struct Share {
    Range rows, lines, units;
    const Worker* others = nullptr;  // those who have other units of the same samples

    void meet() const {
      if (others != nullptr) others->sync();
    }
    Range of(Index total, Index grain) const {
      return others == nullptr ? Range{0, total} : others->share(total, grain);
    }
  };

  RecurrentOp(const OpSetup& s, Cell cell) : Base(s, std::move(cell)) {}

  // Calls body(row, rows, sums) for each run of rows of a block that are not skipped.
  template <class F>
  void for_runs(const Block& b, const F& body) const noexcept {
    for (Range run = b.run(0); run.size() > 0; run = b.run(run.end))
      body(run.begin, run.size(), b.sums + run.begin * sums_);
  }

  // Sums of a block: the product number `which`, for the units of this thread.
  void multiply(const Kernels<T>& k, std::size_t which, const Block& b, const ForwardRoom& room,
                const Share& own) const noexcept {
    const Sums& s = cell_.sums[which];
    Gemm<T> g;
    g.m = b.rows, g.k = depth(s);
    g.a = b.operands + offset(s.first), g.a_row = width_, g.a_col = 1;
    g.b_row = k.tile_cols, g.b_panel = panel(k, g.k);
    g.c_row = sums_;
    const auto columns = [&](Index begin, Index n) {
      g.n = n;
      g.b = room.packed + packed_[which] + begin / k.tile_cols * g.b_panel;
      g.c = b.sums + s.col * u_ + begin;
      if (biased_) g.epilogue.bias = room.bias + s.col * u_ + begin;
      k.gemm(g);
    };
    if (own.others == nullptr) {
      columns(0, s.cols * u_);
    } else if (own.units.size() > 0) {
      for (Index gate = 0; gate < s.cols; ++gate) columns(gate * u_ + own.units.begin, own.units.size());
    }
  }

  // The gradient by the operands' parts of the product number `which`, of which each thread makes some columns; with
  // `adds` they are added to what is there.
  void multiply_back(const Kernels<T>& k, std::size_t which, const Block& b, T* d_operands, const BackwardRoom& room,
                     bool wants_input, const Share& own, bool adds) const noexcept {
    const Sums& s = cell_.sums[which];
    const T* packed = room.packed + transposed_[which];
    for (int part = s.first; part <= s.last; ++part) {
      const Range cols = own.of(size(part), k.tile_cols);
      Gemm<T> g;
      g.m = b.rows, g.n = cols.size(), g.k = s.cols * u_;
      g.a = b.sums + s.col * u_, g.a_row = sums_, g.a_col = 1;
      g.b_row = k.tile_cols, g.b_panel = panel(k, g.k);
      g.b = packed + cols.begin / k.tile_cols * g.b_panel;
      g.c = d_operands + offset(part) + cols.begin, g.c_row = width_;
      g.accumulate = adds;
      packed += panels(k, size(part)) * g.b_panel;
      if (g.n > 0 && (part != kInput || wants_input)) k.gemm(g);
    }
  }

  // The rows and units of a block that a kernel takes.
  CellRows<T> cell_rows(const Block& b, Index rows, const Share& own) const {
    CellRows<T> cell = functions_;
    cell.rows = rows, cell.units = own.units.size();
    cell.z_row = sums_, cell.gate = cell.row = u_;
    cell.before_row = b.before_row;
    return cell;
  }

  // One step of the samples of a block: sums, gates, state.
  virtual void step(const Kernels<T>& k, const Block& b, const ForwardRoom& room, const Share& own) const noexcept {
    for (std::size_t which = 0; which < cell_.sums.size(); ++which) multiply(k, which, b, room, own);
    run_cells(k, b, own);
  }

  // Back: b.sums become their gradients, d_operands those of the operands, b.h and b.state what passes by the gates.
  virtual void step_backward(const Kernels<T>& k, const Block& b, T* d_operands, const BackwardRoom& room,
                             bool wants_input, const Share& own) const noexcept {
    run_cells_backward(k, b, own);
    own.meet();
    unsigned made = 0;  // the parts that hold a gradient already
    for (std::size_t which = 0; which < cell_.sums.size(); ++which) {
      const Sums& s = cell_.sums[which];
      multiply_back(k, which, b, d_operands, room, wants_input, own, (made >> s.first & 1u) != 0);
      for (int part = s.first; part <= s.last; ++part) made |= 1u << part;
    }
  }

  // The kernel of the cell on some rows, and its way back.
  virtual void cells(const Kernels<T>& k, const CellRows<T>& cell, T* z, const T* before, T* h,
                     T* state) const noexcept = 0;
  virtual void cells_backward(const Kernels<T>& k, const CellRows<T>& cell, T* z, const T* before, T* dh,
                              T* dstate) const noexcept = 0;

  void run_cells(const Kernels<T>& k, const Block& b, const Share& own) const noexcept {
    for_runs(b, [&](Index row, Index rows, T* sums) {
      const Index unit = own.units.begin, at = row * u_ + unit;
      cells(k, cell_rows(b, rows, own), sums + unit, b.before + row * b.before_row + unit, b.h + at, b.state + at);
    });
  }

  void run_cells_backward(const Kernels<T>& k, const Block& b, const Share& own) const noexcept {
    for_runs(b, [&](Index row, Index rows, T* sums) {
      const Index unit = own.units.begin, at = row * u_ + unit;
      cells_backward(k, cell_rows(b, rows, own), sums + unit, b.before + row * b.before_row + unit, b.h + at,
                     b.state + at);
    });
  }

 private:
  // Fewer samples than this for each thread are not enough for a tile: the team shares the units instead. A gated h
  // would need one more meeting in each step, and cannot.
  static constexpr Index kFewSamples = 8;

  Share share(const Kernels<T>& k, const Worker& who) const {
    const bool by_units = who.size > 1 && n_ < kFewSamples * who.size && u_ % k.tile_cols == 0 &&
                          u_ / k.tile_cols >= who.size && !cell_.gated;
    const Range rows = who.share(n_);
    if (!by_units) return {rows, rows, {0, u_}, nullptr};
    return {{0, n_}, rows, who.share(u_, k.tile_cols), &who};
  }

  // The rows of a block, counted from its first, that are among `lines`.
  static Range lines_of(const Block& b, Range lines) {
    const Index begin = std::max<Index>(0, lines.begin - b.first);
    return {begin, std::max(begin, std::min(b.rows, lines.end - b.first))};
  }

  // One row of units, or zeros where there is none.
  void copy(const T* from, Index row, T* to) const {
    if (from == nullptr) {
      std::fill(to, to + u_, T(0));
    } else {
      std::copy(from + row * u_, from + (row + 1) * u_, to);
    }
  }
  void put(const T* from, bool there, T* to) const { copy(there ? from : nullptr, 0, to); }

  const T* initial(const Call<T>& c, int state) const {
    return initial_ ? c.x[1 + state] : stateful_ ? c.w[state_param(state)] : nullptr;
  }

  void load_operands(const Call<T>& c, const Saved& s, Index step, const Block& b, Range own) const noexcept {
    const Range lines = lines_of(b, own);
    for (Index i = lines.begin; i < lines.end; ++i) {
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
  void clear_skipped(const Block& b, Index i) const noexcept {
    if (b.active(i)) return;
    std::fill(b.sums + i * sums_, b.sums + (i + 1) * sums_, T(0));
    // Their operands may never have been computed, but they meet that zero.
    if (cell_.gated) std::fill(b.operands + i * width_ + u_ + i_, b.operands + (i + 1) * width_, T(0));
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
};

}  // namespace fastgd

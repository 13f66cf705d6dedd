// The three sums of a convolution, sample by sample: to the output, back to the data, back to the weights.
//
// A row of output pixels is a product of matrices whose left one is never built: pixel i of the row sees the
// window_width * channels neighbours that begin i * stride * channels elements further on, so that the input itself,
// read with that distance from row to row, is the matrix. Only what crosses a border, or belongs to one group of
// channels, is copied first, into a strip of a few rows that stays in the second cache.
#pragma once

#include <cstring>
#include <memory>

#include "ops/window.h"

namespace fastgd {

// What a convolution of one sample is: x (D, H, W, channels), w (d, h, w, channels / groups, filters),
// y (D', H', W', filters).
struct CorrelationShape {
  Windows windows;
  Index channels = 1, filters = 1, groups = 1;
};

template <class T>
class Correlation {
 public:
  Correlation() = default;
  Correlation(const Kernels<T>& k, const CorrelationShape& shape) : s_(shape) {
    merge_points();
    plan(k);
    choose_way_back(k);
  }

  // The forward pass over dz that gives dx where every stride of `of` is 1. Its weights come packed.
  Correlation(const Kernels<T>& k, const Correlation& of) : s_(of.s_) {
    for (WindowAxis& axis : s_.windows) {
      std::swap(axis.in, axis.out);
      axis.before = (axis.window - 1) * axis.dilation - axis.before;
    }
    std::swap(s_.channels, s_.filters);
    plan(k);
    packs_weights_ = true;
  }

  Index inputs() const { return points(&WindowAxis::in) * s_.channels; }
  Index pixels() const { return points(&WindowAxis::out); }
  Index weights() const { return terms_ * s_.filters; }
  double work() const { return 2.0 * static_cast<double>(pixels()) * static_cast<double>(weights()); }

  // A sample is cut into strips of output pixels; `strips` of them.
  Index strips() const { return s_.windows[0].out * row_blocks_ * col_blocks_; }

  // Elements of the room that a thread needs for one strip.
  Index strip_room() const { return direct_ ? 0 : round_up(points_of_strip() * channels_, 16); }
  // Elements of the weights as `forward`, or `to_data`, reads them.
  Index forward_weights() const { return packs_weights_ ? s_.groups * panels_ * panel_ : 0; }
  Index data_weights() const {
    return s_.groups *
           (way_ == Way::mirror ? mirror_->panels_ * mirror_->panel_ : back_taps_ * back_panels_ * back_panel_);
  }
  // Elements of the room that a thread needs for `to_data`.
  Index data_room() const {
    if (way_ == Way::mirror) return mirror_->strip_room();
    return way_ == Way::taps ? 0 : round_up(sums_ + padded_points() * channels_, 16);
  }

  // All of the team calls this together, and syncs before it uses the result.
  void pack_forward(const Kernels<T>& k, const T* w, T* packed, const Worker& who) const noexcept {
    if (!packs_weights_) return;
    const Range part = who.share(s_.groups * panels_);
    for (Index i = part.begin; i < part.end; ++i) {
      const Index group = i / panels_, col = i % panels_ * k.tile_cols;
      k.pack_cols(terms_, std::min(k.tile_cols, filters_ - col), w + group * filters_ + col, s_.filters, 1,
                  packed + i * panel_, panel_);
    }
  }
  void pack_data(const Kernels<T>& k, const T* w, T* packed, const Worker& who) const noexcept {
    const Range part = who.share(s_.groups * back_taps_);
    for (Index i = part.begin; i < part.end; ++i) {
      const Index group = i / back_taps_, tap = i % back_taps_;
      T* to = packed + i * back_panels_ * back_panel_;
      Index panel = back_panel_;
      if (way_ == Way::mirror) {
        // The taps in reverse, one below the other.
        panel = mirror_->panel_;
        to = packed + group * mirror_->panels_ * panel + (back_taps_ - 1 - tap) * filters_ * k.tile_cols;
      }
      k.pack_cols(filters_, back_cols_, w + tap * back_cols_ * s_.filters + group * filters_, 1, s_.filters, to, panel);
    }
  }

  // The strip `strip` of y = f(w * x + bias), x and y of one sample. `w` as it is, `packed` from pack_forward.
  void forward(const Kernels<T>& k, const T* x, const T* w, const T* packed, const Epilogue<T>& epilogue, Index strip,
               T* y, T* room) const noexcept {
    const Strip at = strip_at(strip);
    const WindowAxis& width = s_.windows[2];
    for (Index group = 0; group < s_.groups; ++group) {
      GemmRuns<T> g;
      g.m = at.cols, g.n = filters_, g.k = run_, g.runs = runs_;
      g.a = strip_input(k, x, at, group, room);
      g.a_row = width.stride * channels_, g.a_col = 1, g.a_offsets = run_offsets_.data();
      g.b = w, g.b_row = s_.filters;
      if (packs_weights_) g.b = packed + group * panels_ * panel_, g.b_row = k.tile_cols, g.b_panel = panel_;
      g.b_run = run_ * g.b_row;
      g.c = y + pixel(at) * s_.filters + group * filters_, g.c_row = s_.filters;
      g.blocks = at.rows;
      g.a_step = s_.windows[1].stride * row_pitch_, g.c_step = width.out * s_.filters;
      g.epilogue = epilogue;
      if (epilogue.bias != nullptr) g.epilogue.bias += group * filters_;
      k.gemm_runs(g);
    }
  }

  // dw (+)= the sum over the pixels of one sample of x and dz.
  void to_weights(const Kernels<T>& k, const T* x, const T* dz, T* dw, bool accumulate, T* room) const noexcept {
    const WindowAxis& width = s_.windows[2];
    for (Index strip = 0; strip < strips(); ++strip) {
      const Strip at = strip_at(strip);
      for (Index group = 0; group < s_.groups; ++group) {
        const T* const input = strip_input(k, x, at, group, room);
        GemmRuns<T> g;
        g.m = run_, g.n = filters_, g.k = at.cols, g.runs = at.rows;
        g.a_row = 1, g.a_col = width.stride * channels_, g.a_offsets = row_offsets_.data();
        g.b = dz + pixel(at) * s_.filters + group * filters_, g.b_row = s_.filters;
        g.b_run = width.out * s_.filters;
        g.c_row = s_.filters;
        g.accumulate = accumulate || strip > 0;
        for (Index r = 0; r < runs_; ++r) {
          g.a = input + run_offsets_[static_cast<std::size_t>(r)];
          g.c = dw + r * run_ * s_.filters + group * filters_;
          k.gemm_runs(g);
        }
      }
    }
  }

  // dx = f(the sum over the windows of dz w', beside the bias in every point). `packed` from pack_data.
  void to_data(const Kernels<T>& k, const T* dz, const T* packed, const Epilogue<T>& epilogue, T* dx,
               T* room) const noexcept {
    if (way_ == Way::mirror) {
      for (Index strip = 0; strip < mirror_->strips(); ++strip)
        mirror_->forward(k, dz, nullptr, packed, epilogue, strip, dx, room);
      return;
    }
    const T* const bias = epilogue.bias;
    if (way_ == Way::taps) {
      start(k, bias, points(&WindowAxis::in), dx);
      for (Index strip = 0; strip < strips(); ++strip)
        for (Index group = 0; group < s_.groups; ++group) add_taps(k, strip_at(strip), group, dz, packed, dx);
    } else {
      T* const padded = room + sums_;
      start(k, bias, padded_points(), padded);
      for (Index strip = 0; strip < strips(); ++strip) add_windows(k, strip_at(strip), dz, packed, room, padded);
      crop(k, padded, bias, dx);
    }
    if (epilogue.activation.function != Activation::linear) k.activation(epilogue.activation, inputs(), dx, dx);
  }

 private:
  // A strip of x, of padded rows, and its neighbours in y and the weights share the second cache.
  static constexpr Index kStripBytes = 128 * 1024;
  // Products of pixels and windows on their way to the data.
  static constexpr Index kSumBytes = 32 * 1024;

  // The offsets of a product whose sums come in one run.
  static constexpr Index kOneRun[1] = {0};

  struct Strip {
    Index plane = 0, row = 0, rows = 0, col = 0, cols = 0;  // of output pixels
  };

  Index points(Index WindowAxis::* size) const {
    Index n = 1;
    for (const WindowAxis& axis : s_.windows) n = multiply(n, axis.*size);
    return n;
  }

  // Where a window is one point, all points are one long row.
  void merge_points() {
    for (const WindowAxis& a : s_.windows)
      if (a.window != 1 || a.stride != 1 || a.before != 0 || a.in != a.out) return;
    const Index n = points(&WindowAxis::in);
    s_.windows = {};
    s_.windows[2].in = s_.windows[2].out = n;
  }

  void plan(const Kernels<T>& k) {
    const auto& [depth, height, width] = s_.windows;
    channels_ = s_.channels / s_.groups;
    filters_ = s_.filters / s_.groups;
    // Neighbours in x that are neighbours in the window too make one run.
    runs_per_row_ = width.dilation == 1 ? 1 : width.window;
    run_ = channels_ * (width.window / runs_per_row_);
    runs_ = depth.window * height.window * runs_per_row_;
    terms_ = runs_ * run_;
    direct_ = s_.groups == 1 && depth.inside() && height.inside() && width.inside();
    choose_strips();
    packs_weights_ = s_.groups > 1 || filters_ > k.tile_cols;
    panel_ = k.tile_cols * terms_ + k.tile_cols;
    panels_ = (filters_ + k.tile_cols - 1) / k.tile_cols;
  }

  void choose_strips() {
    const auto& [depth, height, width] = s_.windows;
    const Index most = std::max<Index>(1, kStripBytes / (static_cast<Index>(sizeof(T)) * channels_ * depth.window));
    cols_ = width.out;
    while (cols_ > 1 && multiply(width.reach(cols_), height.reach(1)) > most) cols_ = (cols_ + 1) / 2;
    rows_ = height.out;
    while (rows_ > 1 && multiply(width.reach(cols_), height.reach(rows_)) > most) rows_ = (rows_ + 1) / 2;
    row_blocks_ = (height.out + rows_ - 1) / rows_;
    col_blocks_ = (width.out + cols_ - 1) / cols_;
    row_pitch_ = channels_ * (direct_ ? width.in : width.reach(cols_));
    plane_pitch_ = row_pitch_ * (direct_ ? height.in : height.reach(rows_));
    for (Index d = 0; d < depth.window; ++d)
      for (Index h = 0; h < height.window; ++h)
        for (Index i = 0; i < runs_per_row_; ++i)
          run_offsets_.push_back(d * depth.dilation * plane_pitch_ + h * height.dilation * row_pitch_ +
                                 i * width.dilation * channels_);
    for (Index r = 0; r < rows_; ++r) row_offsets_.push_back(r * height.stride * row_pitch_);
  }

  // Back to the data there are three ways. The mirror is a forward pass over dz with the window turned round; it exists
  // where the stride is 1. The taps: one product per element of the window adds to the points that it touches, and does
  // nothing for those beyond the border. The windows: one product makes all that a pixel gives to its window, and its
  // rows, which overlap, are added up; this fills the vectors where there are few channels.
  enum class Way { mirror, taps, windows };

  void choose_way_back(const Kernels<T>& k) {
    const auto vectors = [&](Index n) { return static_cast<double>((n + k.lanes - 1) / k.lanes); };
    // Cycles beside the multiply-adds: to load and store a vector of sums; to add a vector of a run to what overlaps
    // it; to copy a vector into a strip.
    constexpr double kSums = 4, kOverlap = 6, kCopy = 2;
    const auto filters = static_cast<double>(filters_);
    double touched = 1;  // pairs of an element of the window and an output for which it exists
    bool dense = true;
    for (const WindowAxis& axis : s_.windows) {
      Index pairs = 0;
      for (Index i = 0; i < axis.window; ++i) pairs += axis.outputs_with(i).size();
      touched *= static_cast<double>(pairs);
      dense = dense && axis.stride == 1;
    }
    const auto data = static_cast<double>(points(&WindowAxis::in));
    back_taps_ = terms_ / channels_;
    const double window = static_cast<double>(back_taps_) * filters;
    const double by_mirror = data * (vectors(channels_) * (window + kSums) + kCopy * vectors(filters_));
    const double by_taps = touched * vectors(channels_) * (filters + kSums);
    const double by_windows = static_cast<double>(pixels()) * (vectors(terms_) * (filters + kSums) +
                                                               static_cast<double>(runs_) * vectors(run_) * kOverlap);
    way_ = dense && by_mirror < by_taps ? Way::mirror : Way::taps;
    if (s_.groups == 1 && by_windows < std::min(by_mirror, by_taps)) way_ = Way::windows;
    if (way_ == Way::windows) {
      back_taps_ = 1;
      const Index row_bytes = multiply(multiply(cols_, terms_), sizeof(T));
      sum_rows_ = std::clamp<Index>(kSumBytes / row_bytes, 1, rows_);
      sums_ = round_up(sum_rows_ * cols_ * terms_, 16);
    } else if (way_ == Way::mirror) {
      mirror_ = std::make_shared<Correlation>(k, *this);
    }
    back_cols_ = way_ == Way::windows ? terms_ : channels_;
    back_panel_ = k.tile_cols * filters_ + k.tile_cols;
    back_panels_ = (back_cols_ + k.tile_cols - 1) / k.tile_cols;
  }

  // The sizes of the part of x that windows see, from -before on.
  Index reached(std::size_t axis) const { return s_.windows[axis].reach(s_.windows[axis].out); }
  Index padded_points() const { return reached(0) * reached(1) * reached(2); }

  Index points_of_strip() const {
    const auto& [depth, height, width] = s_.windows;
    return depth.reach(1) * height.reach(rows_) * width.reach(cols_);
  }

  Strip strip_at(Index strip) const {
    const auto& [depth, height, width] = s_.windows;
    Strip at;
    at.col = strip % col_blocks_ * cols_, at.cols = std::min(cols_, width.out - at.col);
    strip /= col_blocks_;
    at.row = strip % row_blocks_ * rows_, at.rows = std::min(rows_, height.out - at.row);
    at.plane = strip / row_blocks_;
    return at;
  }

  // The number of a strip's first output pixel.
  Index pixel(const Strip& at) const { return (at.plane * s_.windows[1].out + at.row) * s_.windows[2].out + at.col; }

  // What the strip's windows see of x: x itself, or a copy in `room` with zeros beyond the borders.
  const T* strip_input(const Kernels<T>& k, const T* x, const Strip& at, Index group, T* room) const noexcept {
    const auto& [depth, height, width] = s_.windows;
    const Index plane = at.plane * depth.stride - depth.before, row = at.row * height.stride - height.before,
                col = at.col * width.stride - width.before;
    if (direct_) return x + ((plane * height.in + row) * width.in + col) * channels_;
    const Index rows = height.reach(at.rows), cols = width.reach(at.cols);
    const Index left = std::clamp<Index>(-col, 0, cols), right = std::clamp<Index>(width.in - col, left, cols);
    for (Index d = 0; d < depth.window; ++d)
      for (Index r = 0; r < rows; ++r) {
        T* const to = room + d * depth.dilation * plane_pitch_ + r * row_pitch_;
        const Index z = plane + d * depth.dilation, y = row + r;
        if (z < 0 || z >= depth.in || y < 0 || y >= height.in) {
          k.fill(cols * channels_, T(0), to);
          continue;
        }
        const T* const from = x + ((z * height.in + y) * width.in + col + left) * s_.channels + group * channels_;
        if (left > 0) k.fill(left * channels_, T(0), to);
        copy(k, right - left, from, s_.channels, to + left * channels_, channels_);
        if (right < cols) k.fill((cols - right) * channels_, T(0), to + right * channels_);
      }
    return room;
  }

  // `n` points of one group's channels.
  void copy(const Kernels<T>& k, Index n, const T* from, Index from_pitch, T* to, Index to_pitch) const noexcept {
    if (n <= 0) return;
    if (from_pitch == channels_ && to_pitch == channels_) {
      std::memcpy(to, from, static_cast<std::size_t>(n * channels_) * sizeof(T));
    } else {
      k.copy_strided(n, channels_, from, from_pitch, 1, to, to_pitch, 1);
    }
  }

  void start(const Kernels<T>& k, const T* bias, Index n, T* x) const noexcept {
    if (bias == nullptr) {
      k.fill(n * s_.channels, T(0), x);
    } else {
      k.copy_strided(n, s_.channels, bias, 0, 1, x, s_.channels, 1);
    }
  }

  void add_taps(const Kernels<T>& k, const Strip& at, Index group, const T* dz, const T* packed, T* dx) const noexcept {
    const auto& [depth, height, width] = s_.windows;
    const T* w = packed + group * back_taps_ * back_panels_ * back_panel_;
    for (Index d = 0; d < depth.window; ++d) {
      const Index plane = at.plane * depth.stride + d * depth.dilation - depth.before;
      for (Index h = 0; h < height.window; ++h)
        for (Index i = 0; i < width.window; ++i, w += back_panels_ * back_panel_) {
          if (plane < 0 || plane >= depth.in) continue;
          const Range rows = common(height.outputs_with(h), at.row, at.rows);
          const Range cols = common(width.outputs_with(i), at.col, at.cols);
          if (rows.size() <= 0 || cols.size() <= 0) continue;
          GemmRuns<T> g;
          g.m = cols.size(), g.n = channels_, g.k = filters_;
          g.a_offsets = kOneRun;
          g.a = dz + ((at.plane * height.out + rows.begin) * width.out + cols.begin) * s_.filters + group * filters_;
          g.a_row = s_.filters, g.a_col = 1;
          g.b = w, g.b_row = k.tile_cols, g.b_panel = back_panel_;
          const Index y = rows.begin * height.stride + h * height.dilation - height.before;
          const Index x = cols.begin * width.stride + i * width.dilation - width.before;
          g.c = dx + ((plane * height.in + y) * width.in + x) * s_.channels + group * channels_;
          g.c_row = width.stride * s_.channels;
          g.blocks = rows.size();
          g.a_step = width.out * s_.filters, g.c_step = height.stride * width.in * s_.channels;
          g.accumulate = true;
          k.gemm_runs(g);
        }
    }
  }

  static Range common(Range r, Index begin, Index size) {
    return {std::max(r.begin, begin), std::min(r.end, begin + size)};
  }

  void add_windows(const Kernels<T>& k, const Strip& at, const T* dz, const T* packed, T* sums,
                   T* padded) const noexcept {
    const auto& [depth, height, width] = s_.windows;
    for (Index done = 0; done < at.rows; done += sum_rows_) {
      Strip part = at;
      part.row += done, part.rows = std::min(sum_rows_, at.rows - done);
      GemmRuns<T> g;
      g.m = at.cols, g.n = terms_, g.k = filters_;
      g.a_offsets = kOneRun;
      g.a = dz + pixel(part) * s_.filters, g.a_row = s_.filters, g.a_col = 1;
      g.b = packed, g.b_row = k.tile_cols, g.b_panel = back_panel_;
      g.c = sums, g.c_row = terms_;
      g.blocks = part.rows;
      g.a_step = width.out * s_.filters, g.c_step = at.cols * terms_;
      k.gemm_runs(g);
      const Index row_run = runs_per_row_ * run_, line = reached(2) * channels_;
      for (Index r = 0; r < part.rows; ++r)
        for (Index d = 0; d < depth.window; ++d)
          for (Index i = 0; i < runs_per_row_; ++i) {
            const Index plane = part.plane * depth.stride + d * depth.dilation;
            const Index row = (part.row + r) * height.stride;
            const Index col = part.col * width.stride + i * width.dilation;
            k.add_rows(at.cols, height.window, run_, sums + r * g.c_step + d * height.window * row_run + i * run_,
                       terms_, row_run, padded + (plane * reached(1) + row) * line + col * channels_,
                       width.stride * channels_, height.dilation * line);
          }
    }
  }

  // The part of `padded` that is x; what no window reaches is the bias alone.
  void crop(const Kernels<T>& k, const T* padded, const T* bias, T* dx) const noexcept {
    const auto& [depth, height, width] = s_.windows;
    const auto inner = [&](const WindowAxis& axis, Index reach) {
      const Index first = std::clamp<Index>(-axis.before, 0, axis.in);
      return Range{first, std::clamp<Index>(reach - axis.before, first, axis.in)};
    };
    const Range planes = inner(depth, reached(0)), rows = inner(height, reached(1)), cols = inner(width, reached(2));
    for (Index z = 0; z < depth.in; ++z)
      for (Index y = 0; y < height.in; ++y) {
        T* const to = dx + (z * height.in + y) * width.in * channels_;
        const bool seen = z >= planes.begin && z < planes.end && y >= rows.begin && y < rows.end;
        const Range here = seen ? cols : Range{width.in, width.in};
        start(k, bias, here.begin, to);
        start(k, bias, width.in - here.end, to + here.end * channels_);
        if (here.size() <= 0) continue;
        const T* const from =
            padded + (((z + depth.before) * reached(1) + y + height.before) * reached(2) + here.begin + width.before) *
                         channels_;
        copy(k, here.size(), from, channels_, to + here.begin * channels_, channels_);
      }
  }

  CorrelationShape s_;
  Index channels_ = 1, filters_ = 1;  // of one group
  Index runs_per_row_ = 1, run_ = 1, runs_ = 1, terms_ = 1;
  bool direct_ = true, packs_weights_ = false;
  Index rows_ = 1, cols_ = 1, row_blocks_ = 1, col_blocks_ = 1;  // of a strip
  Index row_pitch_ = 1, plane_pitch_ = 1;
  Index panel_ = 0, panels_ = 1;
  Way way_ = Way::taps;
  std::shared_ptr<const Correlation> mirror_;
  Index back_taps_ = 1, back_cols_ = 1, back_panel_ = 0, back_panels_ = 1;
  Index sum_rows_ = 1, sums_ = 0;
  std::vector<Index> run_offsets_, row_offsets_;
};

}  // namespace fastgd

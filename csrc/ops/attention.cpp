// attention: y = softmax(scale q k') v for each head, heads being parts of the last axis that are never copied apart.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/buffer.h"
#include "ops/register.h"

namespace fastgd {
namespace {

// The heads of q, k, v and of y are read and written where they lie, by strides. A thread takes a head of keys of one
// sample with all heads of queries that read it, some rows of queries at a time, so that their scores stay in a cache.
template <class T>
class Attention final : public Op<T> {
 public:
  explicit Attention(const OpSetup& s)
      : causal_(s.attrs.flag("causal", false)), masked_(s.inputs.size() == 4), tile_(s.table.of<T>().tile_cols) {
    s.expect_params(0, 0);
    check(s.inputs.size() == 3 || masked_, "takes 3 or 4 inputs. Received: ", s.inputs.size());
    const Shape& q = s.inputs[0].shape;
    const Shape& k = s.inputs[1].shape;
    const Shape& v = s.inputs[2].shape;
    heads_ = s.attrs.integer("heads");
    groups_ = s.attrs.integer("key_value_heads", heads_);
    check(groups_ >= 1 && heads_ >= groups_ && heads_ % groups_ == 0,
          "`key_value_heads` must divide `heads`. Received: ", groups_, " and ", heads_);
    check(q.size() == 3 && k.size() == 3 && v.size() == 3 && q[0] == k[0] && q[0] == v[0] && k[1] == v[1] &&
              q[2] % heads_ == 0 && k[2] % groups_ == 0 && v[2] % groups_ == 0 && q[2] / heads_ == k[2] / groups_,
          "queries ", to_string(q), ", keys ", to_string(k), " and values ", to_string(v), " do not fit ", heads_,
          " and ", groups_, " heads");
    samples_ = q[0], queries_ = q[1], keys_ = k[1], depth_ = q[2] / heads_, width_ = v[2] / groups_;
    scale_ = static_cast<T>(s.attrs.real("scale", 1.0));
    const Shape scores{samples_, heads_, queries_, keys_};
    if (masked_) set_mask(s.inputs[3].shape, scores);
    rate_ = s.attrs.real("rate", 0.0);
    check(rate_ >= 0.0 && rate_ <= 1.0, "`rate` must be from 0 to 1. Received: rate=", rate_);
    if (rate_ > 0) stream_ = {static_cast<std::uint64_t>(s.attrs.integer("seed")), 0, drop_threshold(rate_)};
    if (rate_ < 1) kept_ = static_cast<T>(1.0 / (1.0 - rate_));
    block_ = std::clamp<Index>(kBlockElements / std::max<Index>(1, keys_), 1, std::max<Index>(1, queries_));
    slots_ = std::clamp<Index>(samples_ * groups_, 1, kMostThreads);
    const Index panels = (keys_ + tile_ - 1) / tile_;
    packed_ = multiply(panels, panel(std::max(depth_, width_)));
    slot_ = round_up(packed_, kApart) + round_up(multiply(block_, keys_), kApart) + kApart;
    auto& t = this->traits;
    t.outputs = {{{samples_, queries_, multiply(heads_, width_)}}, {scores}};
    t.gradient_inputs = 7;
    t.backward_reads_inputs = 7;
    t.backward_reads_outputs = 2;
    t.saved_bytes = rate_ > 0 ? count(scores) : 0;
    t.forward_scratch = t.backward_scratch = multiply(multiply(slots_, slot_), sizeof(T));
    const auto size = static_cast<double>(count(scores));
    t.forward_work = size * (2.0 * static_cast<double>(depth_ + width_) + 20);
    t.backward_work = size * (4.0 * static_cast<double>(depth_ + width_) + 10);
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Kernels<T>& k = *c.kernels;
    each_item(c, who, [&](Index n, Index group, T* packed, T* block) {
      pack(k, scale_, c.x[1] + head_of(n, keys_, groups_, group, depth_), groups_ * depth_, depth_, packed);
      for (Index head = first_head(group); head < first_head(group + 1); ++head)
        each_block([&](Index first, Index rows, Index seen) {
          T* const p = c.y[1] + score(n, head, first);
          Gemm<T> g = product(rows, seen, depth_);
          g.a = c.x[0] + head_of(n, queries_, heads_, head, depth_) + first * heads_ * depth_;
          g.a_row = heads_ * depth_, g.a_col = 1;
          g.b = packed, g.b_row = tile_, g.b_panel = panel(depth_);
          g.c = p, g.c_row = keys_;
          k.gemm(g);
          normalize(c, n, head, first, rows, seen, p);
          const T* weights = p;
          if (rate_ > 0 && c.run->training) {
            MaskStream stream = stream_;
            stream.iteration = c.run->iteration;
            const Index at = score(n, head, first);
            k.dropout(stream, static_cast<std::uint64_t>(at + c.run->first_sample * heads_ * queries_ * keys_), kept_,
                      rows * keys_, p, block, kept(c) + at);
            weights = block;
          }
          g = product(rows, width_, seen);
          g.a = weights, g.a_row = keys_, g.a_col = 1;
          g.b = c.x[2] + head_of(n, keys_, groups_, group, width_), g.b_row = groups_ * width_;
          g.c = c.y[0] + head_of(n, queries_, heads_, head, width_) + first * heads_ * width_;
          g.c_row = heads_ * width_;
          k.gemm(g);
        });
    });
  }

  // With w the weights after dropout: dv = w' dy and dw = dy v'; through dropout and softmax to the scores' gradient
  // ds, which is 0 where a weight is; dq = scale ds k and dk = scale ds' q.
  void backward(const Call<T>& c, const Worker& who) const noexcept override {
    const Kernels<T>& k = *c.kernels;
    const bool drops = rate_ > 0 && c.run->training;
    each_item(c, who, [&](Index n, Index group, T* packed, T* block) {
      const T* const key = c.x[1] + head_of(n, keys_, groups_, group, depth_);
      T* const dk = at_or_null(c.dx[1], head_of(n, keys_, groups_, group, depth_));
      T* const dv = at_or_null(c.dx[2], head_of(n, keys_, groups_, group, width_));
      clear(k, dk, groups_ * depth_, depth_);
      clear(k, dv, groups_ * width_, width_);
      const bool inside = c.dx[0] != nullptr || dk != nullptr;
      if (inside && c.dy[0] != nullptr)
        pack(k, T(1), c.x[2] + head_of(n, keys_, groups_, group, width_), groups_ * width_, width_, packed);
      for (Index head = first_head(group); head < first_head(group + 1); ++head)
        each_block([&](Index first, Index rows, Index seen) {
          const Index at = score(n, head, first);
          const T* const p = c.y[1] + at;
          const T* const q = c.x[0] + head_of(n, queries_, heads_, head, depth_) + first * heads_ * depth_;
          if (c.dy[0] == nullptr) {
            k.fill(rows * keys_, T(0), block);
          } else {
            const T* const dy = c.dy[0] + head_of(n, queries_, heads_, head, width_) + first * heads_ * width_;
            if (dv != nullptr) {
              if (drops) k.dropout_backward(kept_, rows * keys_, kept(c) + at, p, block);
              add_product(k, drops ? block : p, rows, seen, dy, heads_ * width_, width_, dv, groups_ * width_);
            }
            if (!inside) return;
            Gemm<T> g = product(rows, seen, width_);
            g.a = dy, g.a_row = heads_ * width_, g.a_col = 1;
            g.b = packed, g.b_row = tile_, g.b_panel = panel(width_);
            g.c = block, g.c_row = keys_;
            k.gemm(g);
            if (drops)
              for (Index i = 0; i < rows; ++i)
                k.dropout_backward(kept_, seen, kept(c) + at + i * keys_, block + i * keys_, block + i * keys_);
          }
          if (!inside) return;
          if (c.dy[1] != nullptr)
            for (Index i = 0; i < rows; ++i)
              k.add(seen, block + i * keys_, c.dy[1] + at + i * keys_, block + i * keys_);
          if (causal_) {
            for (Index i = 0; i < rows; ++i) {
              const Index own = std::min(keys_, first + i + 1);
              T* const ds = block + i * keys_;
              k.softmax_backward(1, own, p + i * keys_, ds, ds);
              k.scale(own, scale_, ds, ds);
              k.fill(seen - own, T(0), ds + own);
            }
          } else {
            k.softmax_backward(rows, keys_, p, block, block);
            k.scale(rows * keys_, scale_, block, block);
          }
          if (c.dx[0] != nullptr) {
            Gemm<T> g = product(rows, depth_, seen);
            g.a = block, g.a_row = keys_, g.a_col = 1;
            g.b = key, g.b_row = groups_ * depth_;
            g.c = c.dx[0] + head_of(n, queries_, heads_, head, depth_) + first * heads_ * depth_;
            g.c_row = heads_ * depth_;
            k.gemm(g);
          }
          if (dk != nullptr) add_product(k, block, rows, seen, q, heads_ * depth_, depth_, dk, groups_ * depth_);
        });
    });
  }

 private:
  // Scores at a time: with keys and values of a head they fit the second cache.
  static constexpr Index kBlockElements = 16384;
  static constexpr Index kMostThreads = 64;
  static constexpr Index kApart = 2 * kAlignment / static_cast<Index>(sizeof(T));

  // Sizes of 1 are repeated.
  void set_mask(const Shape& mask, const Shape& scores) {
    check(mask.size() == 4, "takes a mask of 4 axes. Received: ", to_string(mask));
    Index step = 1;
    for (std::size_t i = 4; i-- > 0;) {
      check(mask[i] == scores[i] || mask[i] == 1, "the mask ", to_string(mask), " does not fit the scores ",
            to_string(scores));
      mask_step_[i] = mask[i] == 1 ? 0 : step;
      step = multiply(step, mask[i]);
    }
  }

  // Calls run(sample, head of keys, scratch for packed keys or values, scratch for a block of scores).
  template <class F>
  void each_item(const Call<T>& c, const Worker& who, F run) const noexcept {
    if (who.rank >= slots_) return;
    const Worker own{who.rank, static_cast<int>(std::min<Index>(who.size, slots_)), nullptr};
    const Range part = own.share(samples_ * groups_);
    T* const packed = c.scratch_values() + who.rank * slot_;
    for (Index item = part.begin; item < part.end; ++item)
      run(item / groups_, item % groups_, packed, packed + round_up(packed_, kApart));
  }

  // Calls run(first query, how many, how many keys they see at most).
  template <class F>
  void each_block(F run) const noexcept {
    for (Index first = 0; first < queries_; first += block_) {
      const Index rows = std::min(block_, queries_ - first);
      run(first, rows, causal_ ? std::min(keys_, first + rows) : keys_);
    }
  }

  // Scores become weights: softmax over the keys that a query sees, 0 for the others.
  void normalize(const Call<T>& c, Index n, Index head, Index first, Index rows, Index seen, T* p) const noexcept {
    const Kernels<T>& k = *c.kernels;
    const T minus_infinity = -std::numeric_limits<T>::infinity(), zero = 0;
    if (masked_) hide(c, n, head, first, rows, seen, minus_infinity, p);
    if (causal_) {
      for (Index i = 0; i < rows; ++i) {
        const Index own = std::min(keys_, first + i + 1);
        T* const row = p + i * keys_;
        k.softmax(1, own, row, row);
        k.fill(keys_ - own, zero, row + own);
      }
    } else {
      k.softmax(rows, keys_, p, p);
    }
    // A query that sees nothing has weights of NaN until here.
    if (masked_) hide(c, n, head, first, rows, seen, zero, p);
  }

  void hide(const Call<T>& c, Index n, Index head, Index first, Index rows, Index cols, T value, T* p) const noexcept {
    Walk walk;
    walk.rows = rows, walk.cols = cols;
    walk.row[0] = mask_step_[2], walk.col[0] = mask_step_[3];
    walk.row[1] = keys_, walk.col[1] = 1;
    const T* const mask = c.x[3] + n * mask_step_[0] + head * mask_step_[1] + first * mask_step_[2];
    // The result is contiguous: rows that are not go one by one.
    if (cols == keys_) return c.kernels->choose(walk, mask, p, &value, p);
    walk.rows = 1;
    for (Index i = 0; i < rows; ++i)
      c.kernels->choose(walk, mask + i * mask_step_[2], p + i * keys_, &value, p + i * keys_);
  }

  // The keys or values of a head times `factor`, turned and packed as the right side of a product over `depth`.
  void pack(const Kernels<T>& k, T factor, const T* x, Index row, Index depth, T* packed) const noexcept {
    k.pack_cols(depth, keys_, x, 1, row, packed, panel(depth));
    if (factor == T(1)) return;
    for (Index j = 0; j < keys_; j += tile_, packed += panel(depth)) k.scale(depth * tile_, factor, packed, packed);
  }

  // c (seen x cols) += w' b, where w (rows x seen) has rows of all keys.
  void add_product(const Kernels<T>& k, const T* w, Index rows, Index seen, const T* b, Index b_row, Index cols, T* to,
                   Index to_row) const noexcept {
    Gemm<T> g = product(seen, cols, rows);
    g.a = w, g.a_row = 1, g.a_col = keys_;
    g.b = b, g.b_row = b_row;
    g.c = to, g.c_row = to_row;
    g.accumulate = true;
    k.gemm(g);
  }

  void clear(const Kernels<T>& k, T* x, Index row, Index cols) const noexcept {
    if (x == nullptr) return;
    for (Index i = 0; i < keys_; ++i) k.fill(cols, T(0), x + i * row);
  }

  static Gemm<T> product(Index m, Index n, Index k) noexcept {
    Gemm<T> g;
    g.m = m, g.n = n, g.k = k;
    return g;
  }

  static std::uint64_t drop_threshold(double rate) {
    return static_cast<std::uint64_t>(std::floor(rate * 4294967296.0));
  }
  static std::uint8_t* kept(const Call<T>& c) noexcept { return reinterpret_cast<std::uint8_t*>(c.saved); }
  static T* at_or_null(T* x, Index at) noexcept { return x == nullptr ? nullptr : x + at; }
  Index panel(Index depth) const noexcept { return tile_ * depth + tile_; }
  Index first_head(Index group) const noexcept { return group * (heads_ / groups_); }
  // Where a head of a sample begins in a tensor of `steps` and `heads` parts of `size`.
  static Index head_of(Index n, Index steps, Index heads, Index head, Index size) noexcept {
    return (n * steps * heads + head) * size;
  }
  Index score(Index n, Index head, Index query) const noexcept {
    return ((n * heads_ + head) * queries_ + query) * keys_;
  }

  bool causal_, masked_;
  Index tile_;  // columns of a packed panel
  Index samples_ = 0, heads_ = 0, groups_ = 0, queries_ = 0, keys_ = 0;
  Index depth_ = 0, width_ = 0;  // of a head of queries and keys, and of values
  T scale_ = 1, kept_ = 0;
  double rate_ = 0;
  MaskStream stream_;
  Index mask_step_[4] = {};
  Index block_ = 1, slots_ = 1, packed_ = 0, slot_ = 0;
};

}  // namespace

FASTGD_DEFINE_OP(attention, Attention);

}  // namespace fastgd

// threshold_buckets: between which thresholds each prediction lies, counted apart for true and false targets.
#include <algorithm>

#include "ops/register.h"
#include "ops/tabular.h"

namespace fastgd {
namespace {

template <class T>
class ThresholdBuckets final : public Tabular<T> {
 public:
  explicit ThresholdBuckets(const OpSetup& s)
      : Tabular<T>(s),
        by_label_(s.attrs.flag("by_label", false)),
        class_id_(s.attrs.integer("class_id")),
        top_k_(s.attrs.integer("top_k")) {
    this->expect_equal_shapes(s);
    for (double threshold : s.attrs.reals("thresholds")) thresholds_.push_back(static_cast<T>(threshold));
    check(std::is_sorted(thresholds_.begin(), thresholds_.end()), "attribute `thresholds` must ascend");
    const Shape& p = s.inputs[0].shape;
    const bool labelled = by_label_ || class_id_ >= 0 || top_k_ > 0;
    check(!labelled || p.size() >= 2, "the prediction needs an axis of labels. Received: ", to_string(p));
    labels_ = labelled ? p.back() : 1;
    check(class_id_ < labels_, "`class_id` must be below ", labels_, ". Received: class_id=", class_id_);
    this->set_output(class_id_ >= 0 ? this->elements() / std::max<Index>(labels_, 1) : this->elements(), true, 20.0);
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    this->each_numbered_row(c, who, [&](Index sample, std::int32_t* y) {
      const Index n = this->elements();
      const T *p = c.x[0] + sample * n, *t = c.x[1] + sample * n;
      for (Index row = 0; row < n; row += labels_, p += labels_, t += labels_) {
        if (class_id_ >= 0) {
          *y++ = number(p[class_id_], t[class_id_], 0, top_k_ == 0 || among_largest(p, class_id_));
          continue;
        }
        if (top_k_ == 0) {
          for (Index j = 0; j < labels_; ++j) *y++ = number(p[j], t[j], j, true);
        } else {
          top_row(p, t, y);
          y += labels_;
        }
      }
    });
  }

 private:
  // 2 (thresholds below p, of as many plus one buckets) + [t != 0], behind those of the labels before if they are
  // counted apart.
  std::int32_t number(T p, T t, Index label, bool eligible) const noexcept {
    const auto above = std::partition_point(thresholds_.begin(), thresholds_.end(), [p](T limit) { return limit < p; });
    const Index bucket = eligible ? above - thresholds_.begin() : 0;
    const Index buckets = static_cast<Index>(thresholds_.size()) + 1;
    return static_cast<std::int32_t>(2 * ((by_label_ ? label : 0) * buckets + bucket) + (t != T(0)));
  }

  // Of equal ones the first comes first.
  bool among_largest(const T* p, Index label) const noexcept {
    Index before = 0;
    for (Index j = 0; j < labels_; ++j) before += p[j] > p[label] || (p[j] == p[label] && j < label);
    return before < top_k_;
  }

  // Finds the k largest one after the other: k is small.
  void top_row(const T* p, const T* t, std::int32_t* y) const noexcept {
    for (Index j = 0; j < labels_; ++j) y[j] = number(p[j], t[j], j, false);
    Index last = -1;
    for (Index k = 0; k < std::min(top_k_, labels_); ++k) {
      Index next = -1;
      for (Index j = 0; j < labels_; ++j) {
        const bool left = last < 0 || p[j] < p[last] || (p[j] == p[last] && j > last);
        if (left && (next < 0 || p[j] > p[next])) next = j;
      }
      if (next < 0) return;
      y[next] = number(p[next], t[next], next, true);
      last = next;
    }
  }

  std::vector<T> thresholds_;
  bool by_label_;
  Index class_id_;  // -1: all
  Index top_k_;     // 0: all
  Index labels_ = 1;
};

}  // namespace

FASTGD_DEFINE_OP(threshold_buckets, ThresholdBuckets);

}  // namespace fastgd

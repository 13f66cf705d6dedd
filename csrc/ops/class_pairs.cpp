// class_pairs: the cell of the confusion matrix that each prediction and its target fall into.
#include "ops/register.h"
#include "ops/tabular.h"

namespace fastgd {
namespace {

// How a class is written: as its number, as the place of the largest of a vector, or as a value against a threshold.
enum class Form { label, one_hot, threshold };

Form parse_form(const std::string& name) {
  if (name == "label") return Form::label;
  if (name == "one_hot") return Form::one_hot;
  if (name == "threshold") return Form::threshold;
  fail("a form must be 'label', 'one_hot' or 'threshold'. Received: '", name, "'");
}

template <class T>
class ClassPairs final : public Tabular<T> {
 public:
  explicit ClassPairs(const OpSetup& s)
      : Tabular<T>(s),
        classes_(s.attrs.integer("classes")),
        ignored_(s.attrs.integer("ignore_class")),
        p_form_(parse_form(s.attrs.text("p_form", "label"))),
        t_form_(parse_form(s.attrs.text("t_form", "label"))),
        threshold_(static_cast<T>(s.attrs.real("threshold", 0.5))),
        integer_targets_(s.inputs[1].integer) {
    const Shape p = without_classes(s.inputs[0].shape, p_form_, p_size_);
    const Shape t = without_classes(s.inputs[1].shape, t_form_, t_size_);
    check(p == t && !(integer_targets_ && t_form_ != Form::label), "targets ", to_string(s.inputs[1].shape),
          " do not fit predictions ", to_string(s.inputs[0].shape));
    check(classes_ >= 1 && classes_ < 46341, "attribute `classes` must be from 1 to 46340");
    this->traits.integer_inputs = integer_targets_ ? 2 : 0;
    this->set_output(count(std::span(p).subspan(1)), true, 4.0);
  }

  void forward(const Call<T>& c, const Worker& who) const noexcept override {
    const Index n = this->width();
    this->each_numbered_row(c, who, [&](Index sample, std::int32_t* y) {
      for (Index i = sample * n; i < (sample + 1) * n; ++i) {
        const Index p = class_of(c.x[0], i, p_form_, p_size_);
        const Index t = integer_targets_ ? within(c.ints(1)[i]) : class_of(c.x[1], i, t_form_, t_size_);
        *y++ = static_cast<std::int32_t>(p < 0 || t < 0 || t == ignored_ ? -1 : t * classes_ + p);
      }
    });
  }

 private:
  // The shape of what is classified; `size` becomes the length of a one-hot vector.
  static Shape without_classes(Shape shape, Form form, Index& size) {
    if (form != Form::one_hot) return shape;
    check(shape.size() >= 2 && shape.back() >= 1, "one-hot classes need an axis. Received: ", to_string(shape));
    size = shape.back();
    shape.pop_back();
    return shape;
  }

  Index within(Index label) const noexcept { return label >= 0 && label < classes_ ? label : -1; }

  // The class at place i, or -1 for one that is none.
  Index class_of(const T* x, Index i, Form form, Index size) const noexcept {
    if (form == Form::one_hot) return within(this->first_maximum(size, x + i * size));
    if (form == Form::threshold) return within(x[i] >= threshold_);
    // Truncated towards 0; the comparison also keeps what no integer holds out of the conversion.
    return x[i] > T(-1) && x[i] < static_cast<T>(classes_) ? static_cast<Index>(x[i]) : -1;
  }

  Index classes_, ignored_;
  Form p_form_, t_form_;
  T threshold_;
  bool integer_targets_;
  Index p_size_ = 1, t_size_ = 1;
};

}  // namespace

FASTGD_DEFINE_OP(class_pairs, ClassPairs);

}  // namespace fastgd

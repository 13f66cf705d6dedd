// Weighted sums over windows, whose weights are products of one per axis: what average pooling and upsampling share.
#pragma once

#include "ops/windows.h"

namespace fastgd {

// What an item is along one axis: the elements of the source from `at` on, times the weights.
struct WeightedItem {
  Index at = 0;
  std::vector<double> weights;
};

struct WeightedAxis {
  Index sources = 1;
  std::vector<WeightedItem> items = {{0, {1.0}}};
};

using WeightedAxes = std::array<WeightedAxis, kSpatialAxes>;

// The axis seen from the source: its elements are made of the items that they are in.
inline WeightedAxis transposed(const WeightedAxis& axis) {
  WeightedAxis back{static_cast<Index>(axis.items.size()), std::vector<WeightedItem>(axis.sources)};
  for (std::size_t i = 0; i < axis.items.size(); ++i) {
    const WeightedItem& item = axis.items[i];
    for (std::size_t k = 0; k < item.weights.size(); ++k) {
      WeightedItem& element = back.items[static_cast<std::size_t>(item.at) + k];
      if (element.weights.empty()) element.at = static_cast<Index>(i);
      element.weights.push_back(item.weights[k]);
    }
  }
  return back;
}

template <class T>
class WeightedWindows {
 public:
  WeightedWindows() = default;
  WeightedWindows(const WeightedAxes& axes, Index samples, Index channels) {
    std::array<WindowTable, kSpatialAxes> tables;
    std::vector<double> products = {1.0};
    for (std::size_t k = 0; k < kSpatialAxes; ++k) {
      std::vector<double> weights;
      tables[k] = table_of(axes[k], weights);
      std::vector<double> longer;
      for (double a : products)
        for (double b : weights) longer.push_back(a * b);
      products = std::move(longer);
    }
    weights_.assign(products.begin(), products.end());
    map_ = WindowMap(std::move(tables), channels);
    samples_ = samples;
  }

  // y = the weighted sums of x.
  void run(const Kernels<T>& kernels, const Worker& who, const T* x, T* y) const noexcept {
    map_.run(samples_, who, [&](const WindowSpot& spot) {
      kernels.window_sum(spot.line, weights_.data(), x + spot.source, y + spot.result);
    });
  }

 private:
  // The numbers of the terms are the places of their weights, which items of equal weights share.
  static WindowTable table_of(const WeightedAxis& axis, std::vector<double>& weights) {
    WindowTable table{axis.sources, 1, {1, 1}, {}};
    for (const WeightedItem& item : axis.items) {
      const std::vector<double>& own = item.weights;
      const auto found = std::search(weights.begin(), weights.end(), own.begin(), own.end());
      const auto place = found - weights.begin();
      if (found == weights.end()) weights.insert(weights.end(), own.begin(), own.end());
      table.terms.push_back({item.at, static_cast<std::int32_t>(own.size()), static_cast<std::int32_t>(place)});
    }
    table.numbers = static_cast<Index>(weights.size());
    return table;
  }

  WindowMap map_;
  Index samples_ = 0;
  std::vector<T> weights_;
};

// The base of the ops whose output is such a sum: their gradient is one too.
template <class T>
class WeightedWindowOp : public Op<T> {
 public:
  void forward(const Call<T>& c, const Worker& who) const noexcept final {
    there_.run(*c.kernels, who, c.x[0], c.y[0]);
  }

  void backward(const Call<T>& c, const Worker& who) const noexcept final {
    back_.run(*c.kernels, who, c.dy[0], c.dx[0]);
  }

 protected:
  // `axes` holds the input's axes as the last of its own.
  void set_windows(const OpSetup& s, const WeightedAxes& axes) {
    const Shape& x = s.inputs[0].shape;
    Shape y = x;
    WeightedAxes turned = axes;
    double terms = static_cast<double>(x.front() * x.back());
    for (std::size_t k = 0; k < kSpatialAxes; ++k) {
      double own = 0;
      for (const WeightedItem& item : axes[k].items) own += static_cast<double>(item.weights.size());
      terms *= own;
      turned[k] = transposed(axes[k]);
      const std::size_t axis = k + x.size() - 1 - kSpatialAxes;
      if (k + x.size() > kSpatialAxes + 1) y[axis] = static_cast<Index>(axes[k].items.size());
    }
    there_ = WeightedWindows<T>(axes, x.front(), x.back());
    back_ = WeightedWindows<T>(turned, x.front(), x.back());
    this->traits.outputs = {{y}};
    this->traits.forward_work = terms;
    this->traits.backward_work = terms;
  }

 private:
  WeightedWindows<T> there_, back_;
};

}  // namespace fastgd

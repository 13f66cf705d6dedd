// Normalisation by statistics of channels or groups of neighbouring channels, forward and backward.
#pragma once

#include <cmath>

#include "ops/channels.h"

namespace fastgd {

// The base of batch and group normalisation: y = f(gamma (x - mean) / sqrt(variance + epsilon) + beta), with mean and
// biased variance of each group in each unit and the function f of the attribute `activation`, which is applied to a
// block while it is in a cache. Where f is linear, with h = (x - mean) / sqrt(variance + epsilon) and m elements in a
// group, dx = (gamma dy - sum(gamma dy) / m - h sum(gamma dy h) / m) / sqrt(variance + epsilon).
template <class T>
class ChannelNorm : public Op<T> {
 protected:
  ChannelNorm(const OpSetup& s, std::size_t own_axes, std::size_t further_params)
      : view_(s.inputs[0].shape, s.attrs.integer("axis"), own_axes), groups_(view_.channels) {
    s.expect_inputs(1);
    const bool scaled = s.attrs.flag("scale", true), shifted = s.attrs.flag("center", true);
    gamma_ = scaled ? 0 : -1;
    beta_ = shifted ? static_cast<int>(scaled) : -1;
    own_params_ = static_cast<int>(scaled) + static_cast<int>(shifted);
    const std::size_t params = static_cast<std::size_t>(own_params_) + further_params;
    s.expect_params(params, params);
    for (const Shape& w : s.params)
      check(w == Shape{view_.channels}, "parameters need one value per channel, ", view_.channels,
            ". Received: ", to_string(w));
    epsilon_ = s.attrs.real("epsilon", 1e-3);
    activation_ = parse_fused_activation<T>(s.attrs);
    auto& t = this->traits;
    t.outputs = {s.inputs[0]};
    t.backward_reads_inputs = 1;
    t.backward_reads_outputs = activates() ? 1 : 0;
    const Index all = view_.units * view_.channels;
    t.saved_bytes = multiply(2 * all, sizeof(T));
    t.forward_scratch = multiply(2 * all * view_.pieces(), sizeof(double)) + multiply(3 * all, sizeof(T));
    t.backward_scratch = t.forward_scratch;
    t.forward_work = 8.0 * static_cast<double>(view_.size());
    t.backward_work = 12.0 * static_cast<double>(view_.size());
  }

  struct Moments {
    double mean = 0, variance = 0;
  };

  void set_groups(Index groups) { groups_ = groups; }
  const ChannelView& view() const { return view_; }
  int own_params() const { return own_params_; }

  // `moments(group number over all units, what was found)` returns what is used; with `fixed` nothing is looked at.
  template <class F>
  void normalize(const Call<T>& c, bool fixed, const Worker& who, F moments) const noexcept {
    const Kernels<T>& k = *c.kernels;
    double* const means = partials(c);
    double* const m2 = means + partial_count();
    if (!fixed) {
      each_channel_block(view_, who, [&](const ChannelBlock& b) {
        k.channel_moments(view_.kind(), b.rows, b.cols, c.x[0] + b.at, b.stride, means + b.partial, m2 + b.partial);
      });
      who.sync();
    }
    T* const slope = coefficients(c);
    T* const shift = slope + all();
    const Range groups = who.share(view_.units * groups_);
    for (Index g = groups.begin; g < groups.end; ++g) {
      const Moments used = moments(g, fixed ? Moments{} : combine(means, m2, g));
      const double inverse = 1.0 / std::sqrt(used.variance + epsilon_);
      each_channel(g, [&](Index channel, Index place) {
        mean(c)[place] = static_cast<T>(used.mean);
        this->inverse(c)[place] = static_cast<T>(inverse);
        slope[place] = static_cast<T>(gamma(c, channel) * inverse);
        shift[place] = beta_ < 0 ? T{0} : c.w[beta_][channel];
      });
    }
    who.sync();
    each_channel_block(view_, who, [&](const ChannelBlock& b) {
      channel_line<T>(k, view_, b, c.x[0], nullptr, {mean(c), nullptr, slope, shift}, c.y[0]);
      if (activates())
        each_stretch(b, [&](Index at, Index n) { k.activation(activation_, n, c.y[0] + at, c.y[0] + at); });
    });
  }

  // With `fixed` the statistics do not depend on x.
  void differentiate(const Call<T>& c, bool fixed, const Worker& who) const noexcept {
    const Kernels<T>& k = *c.kernels;
    T* const dgamma = gamma_ < 0 ? nullptr : c.dw[gamma_];
    T* const dbeta = beta_ < 0 ? nullptr : c.dw[beta_];
    double* const s1 = partials(c);
    double* const s2 = s1 + partial_count();
    const bool sums = !fixed || dgamma != nullptr || dbeta != nullptr;
    if (sums || activates()) {
      each_channel_block(view_, who, [&](const ChannelBlock& b) {
        if (activates())
          each_stretch(b, [&](Index at, Index n) {
            k.activation_backward(activation_, n, c.y[0] + at, c.dy[0] + at, c.dy[0] + at);
          });
        if (!sums) return;
        k.channel_products(view_.kind(), b.rows, b.cols, c.x[0] + b.at, c.dy[0] + b.at, b.stride, mean(c) + b.channel,
                           s1 + b.partial, s2 + b.partial);
      });
      who.sync();
    }
    T* const factor = coefficients(c);
    T* const slope = factor + all();
    T* const shift = slope + all();
    const double length = static_cast<double>(view_.length() * (view_.channels / groups_));
    const Range groups = who.share(view_.units * groups_);
    for (Index g = groups.begin; g < groups.end; ++g) {
      double sum = 0, product = 0;
      if (sums)
        each_channel(g, [&](Index channel, Index place) {
          const double first = add_pieces(s1, place), second = add_pieces(s2, place);
          sum += gamma(c, channel) * first;
          product += gamma(c, channel) * second;
        });
      each_channel(g, [&](Index channel, Index place) {
        const double scale = static_cast<double>(inverse(c)[place]);
        factor[place] = static_cast<T>(gamma(c, channel) * scale);
        slope[place] = fixed ? T{0} : static_cast<T>(-scale * scale * scale * product / length);
        shift[place] = fixed ? T{0} : static_cast<T>(-scale * sum / length);
      });
    }
    who.sync();
    if (dgamma != nullptr || dbeta != nullptr) add_gradients(c, s1, s2, dgamma, dbeta, who);
    if (c.dx[0] != nullptr)
      channel_lines<T>(k, view_, c.x[0], c.dy[0], {mean(c), factor, fixed ? nullptr : slope, shift}, c.dx[0], who);
  }

 private:
  bool activates() const { return activation_.function != Activation::linear; }

  // Calls f(first element, how many) for the rows of a block, for all at once where they lie together.
  template <class F>
  static void each_stretch(const ChannelBlock& b, F f) noexcept {
    if (b.cols == b.stride) return f(b.at, b.rows * b.cols);
    for (Index i = 0; i < b.rows; ++i) f(b.at + i * b.stride, b.cols);
  }

  Index all() const { return view_.units * view_.channels; }
  Index partial_count() const { return all() * view_.pieces(); }
  double* partials(const Call<T>& c) const { return reinterpret_cast<double*>(c.scratch); }
  T* coefficients(const Call<T>& c) const { return reinterpret_cast<T*>(partials(c) + 2 * partial_count()); }
  T* mean(const Call<T>& c) const { return reinterpret_cast<T*>(c.saved); }
  T* inverse(const Call<T>& c) const { return mean(c) + all(); }
  double gamma(const Call<T>& c, Index channel) const {
    return gamma_ < 0 ? 1.0 : static_cast<double>(c.w[gamma_][channel]);
  }

  // Calls f(channel, its place among those of all units) for the channels of a group.
  template <class F>
  void each_channel(Index group, F f) const noexcept {
    const Index width = view_.channels / groups_, first = group % groups_ * width;
    for (Index i = 0; i < width; ++i) f(first + i, group / groups_ * view_.channels + first + i);
  }

  Index first_partial(Index place) const {
    return place / view_.channels * view_.pieces() * view_.channels + place % view_.channels;
  }

  // The moments of a group from those of its parts, each joined with all before it (Chan, Golub, LeVeque 1979).
  Moments combine(const double* means, const double* m2, Index group) const noexcept {
    double n = 0, mean = 0, squares = 0;
    each_channel(group, [&](Index, Index place) {
      for (Index piece = 0; piece < view_.pieces(); ++piece) {
        const Index at = first_partial(place) + piece * view_.channels;
        const double more = static_cast<double>(view_.piece_length(piece)), total = n + more;
        const double apart = means[at] - mean;
        mean += apart * (more / total);
        squares += m2[at] + apart * apart * (n * more / total);
        n = total;
      }
    });
    return {mean, n > 0 ? squares / n : 0.0};
  }

  // Leaves the sum over the pieces in the place of the first.
  double add_pieces(double* parts, Index place) const noexcept {
    const Index at = first_partial(place);
    for (Index piece = 1; piece < view_.pieces(); ++piece) parts[at] += parts[at + piece * view_.channels];
    return parts[at];
  }

  void add_gradients(const Call<T>& c, const double* s1, const double* s2, T* dgamma, T* dbeta,
                     const Worker& who) const noexcept {
    const Range channels = who.share(view_.channels, c.kernels->lanes);
    for (Index channel = channels.begin; channel < channels.end; ++channel) {
      double sum = 0, product = 0;
      for (Index unit = 0; unit < view_.units; ++unit) {
        const Index place = unit * view_.channels + channel, at = first_partial(place);
        sum += s1[at];
        product += s2[at] * static_cast<double>(inverse(c)[place]);
      }
      if (dgamma != nullptr) put(dgamma[channel], product, c.dw_accumulate[gamma_]);
      if (dbeta != nullptr) put(dbeta[channel], sum, c.dw_accumulate[beta_]);
    }
  }

  static void put(T& to, double value, bool add) { to = static_cast<T>(value + (add ? static_cast<double>(to) : 0.0)); }

  ChannelView view_;
  Index groups_;
  double epsilon_ = 0;
  ActivationSpec<T> activation_;
  int gamma_ = -1, beta_ = -1, own_params_ = 0;
};

}  // namespace fastgd

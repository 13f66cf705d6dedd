// Convolutions of 3x3 windows in tiles of 2x2 outputs, by Winograd's filtering: 16 multiplications where the direct sum
// takes 36. The transforms, and where they come from, are in kernels/winograd.cpp.
//
// Tiles are transformed into the rows of sixteen matrices, one for each element of a tile, and multiplied with the
// sixteen matrices of transformed weights, some tiles at a time, so that all of it stays in the second cache.
#pragma once

#include "ops/convolution.h"

namespace fastgd {

template <class T>
class WinogradConvolution final : public ConvolutionOp<T> {
 public:
  // Whether this is the quicker way, by a count of vector operations.
  static bool pays(const OpSetup& s, const CorrelationShape& shape) {
    const auto& [depth, height, width] = shape.windows;
    const auto fits = [](const WindowAxis& a) { return a.window == 3 && a.stride == 1 && a.dilation == 1; };
    if (s.inputs[0].shape.size() != 4 || !fits(height) || !fits(width) || shape.groups != 1) return false;
    // Cycles beside the multiply-adds: of the transforms of one vector of a tile; of a vector of outputs of a product,
    // which is loaded and stored; of a vector of transformed weights, which are made and packed anew in each step.
    constexpr double kTransforms = 50, kSums = 3, kWeights = 20;
    const Index lanes = s.table.of<T>().lanes;
    const auto vectors = [&](Index n) { return static_cast<double>((n + lanes - 1) / lanes); };
    const auto channels = static_cast<double>(shape.channels);
    const double filters = vectors(shape.filters);
    const double direct = static_cast<double>(height.out) * static_cast<double>(width.out) * 9 * channels * filters;
    const double tiles = static_cast<double>((height.out + 1) / 2) * static_cast<double>((width.out + 1) / 2);
    const double sums = 16 * (channels + kSums) * filters + kTransforms * (vectors(shape.channels) + filters);
    const auto samples = static_cast<double>(s.inputs[0].shape[0]);
    return samples * tiles * sums + kWeights * 16 * channels * filters < samples * direct;
  }

  WinogradConvolution(const OpSetup& s, const CorrelationShape& shape) : ConvolutionOp<T>(s, shape.filters) {
    const Kernels<T>& k = s.table.of<T>();
    height_ = shape.windows[1], width_ = shape.windows[2];
    channels_ = shape.channels, filters_ = shape.filters;
    tile_cols_ = (width_.out + 1) / 2;
    tiles_ = (height_.out + 1) / 2 * tile_cols_;
    matrix_ = multiply(channels_, filters_);
    const Index gradient = multiply(kMatrices, matrix_);
    const Index of_tile = multiply(kMatrices * (channels_ + filters_), sizeof(T));
    most_tiles_ = std::max(kLeastTiles, kPieceBytes / of_tile);
    const Index at_once = std::clamp<Index>(most_tiles_ / tiles_, 1, this->samples_);
    most_tiles_ = std::min(most_tiles_, at_once * tiles_);
    input_matrix_ = spaced(channels_), output_matrix_ = spaced(filters_);
    const Index room = kMatrices * (input_matrix_ + output_matrix_), pixels = multiply(height_.out, width_.out);
    forward_ = Panels(k, channels_, filters_), backward_ = Panels(k, filters_, channels_);
    this->plan(s, output_shape(s, shape),
               {.work = 18.0 * static_cast<double>(pixels) * static_cast<double>(matrix_),
                .pixels = pixels,
                .gradient = gradient,
                .forward_weights = packed_at() + forward_.size(),
                .forward_room = room,
                .backward_weights = packed_at() + backward_.size(),
                .backward_room = room,
                .samples_at_once = at_once});
  }

 private:
  static constexpr Index kMatrices = 16;
  // Tiles before and behind the product, for all sixteen matrices, share the second cache with the weights.
  static constexpr Index kPieceBytes = 384 * 1024;
  // Fewer rows than two tiles of registers have would not pay for loading the weights.
  static constexpr Index kLeastTiles = 28;

  // How the right sides of the sixteen products lie, (depth, cols) each: packed, in panels.
  struct Panels {
    Panels() = default;
    Panels(const Kernels<T>& k, Index rows, Index columns)
        : depth(rows),
          cols(columns),
          width(k.tile_cols),
          panel(width * (rows + 1)),
          count((cols + width - 1) / width) {}
    Index size() const { return kMatrices * count * panel; }
    Index depth = 0, cols = 0, width = 0, panel = 0, count = 0;
  };

  // From matrix to matrix: a line more than they hold, or the sixteen elements of a tile would share a set of the
  // caches where that is a round number.
  Index spaced(Index channels) const { return round_up(multiply(most_tiles_, channels), 16) + 16; }

  Index pieces(Index tiles) const { return (tiles + most_tiles_ - 1) / most_tiles_; }

  Index units(Index samples) const noexcept override { return pieces(samples * tiles_); }

  // All of the team calls this together, and syncs before it uses the result. Element (p, j) of a matrix of the right
  // side is at p * row + j * col of one of the transformed weights.
  void pack(const Kernels<T>& k, const T* w, const Panels& to, Index row, Index col, T* plain, T* packed,
            const Worker& who) const noexcept {
    const Range part = who.share(matrix_, 16);
    if (part.size() > 0) k.winograd_weights(part.size(), matrix_, w + part.begin, plain + part.begin);
    who.sync();
    const Range panels = who.share(kMatrices * to.count);
    for (Index i = panels.begin; i < panels.end; ++i) {
      const Index first = i % to.count * to.width;
      k.pack_cols(to.depth, std::min(to.width, to.cols - first), plain + i / to.count * matrix_ + first * col, row, col,
                  packed + i * to.panel, to.panel);
    }
  }

  // The plain transformed weights, of which nobody reads more, lie before the packed ones.
  Index packed_at() const { return round_up(kMatrices * matrix_, 16); }
  void pack_forward(const Kernels<T>& k, const T* w, T* packed, const Worker& who) const noexcept override {
    pack(k, w, forward_, filters_, 1, packed, packed + packed_at(), who);
  }
  void pack_backward(const Kernels<T>& k, const T* w, T* packed, const Worker& who) const noexcept override {
    pack(k, w, backward_, 1, filters_, packed, packed + packed_at(), who);
  }

  // Calls f(sample, its first tile's place among the outputs, the number of the tile in the piece) for each stretch of
  // neighbours in a row of tiles.
  template <class F>
  void each_line(Range piece, F f) const noexcept {
    for (Index tile = piece.begin; tile < piece.end;) {
      const Index sample = tile / tiles_, inside = tile % tiles_, col = inside % tile_cols_;
      WinogradLine line;
      line.tiles = std::min(tile_cols_ - col, piece.end - tile);
      line.row = 2 * (inside / tile_cols_), line.col = 2 * col;
      f(sample, line, tile - piece.begin);
      tile += line.tiles;
    }
  }

  // The line among the outputs, and among the inputs.
  WinogradLine among_outputs(WinogradLine line) const noexcept {
    line.channels = filters_, line.height = height_.out, line.width = width_.out, line.matrix = output_matrix_;
    return line;
  }
  WinogradLine among_inputs(WinogradLine line) const noexcept {
    line.row -= height_.before, line.col -= width_.before;
    line.channels = channels_, line.height = height_.in, line.width = width_.in, line.matrix = input_matrix_;
    return line;
  }

  void transform_inputs(const Kernels<T>& k, Range piece, const T* x, T* inputs) const noexcept {
    each_line(piece, [&](Index sample, const WinogradLine& line, Index at) {
      k.winograd_inputs(among_inputs(line), x + sample * this->inputs_, inputs + at * channels_);
    });
  }

  void multiply_weights(const Kernels<T>& k, Index tiles, const T* from, Index from_matrix, const Panels& weights,
                        const T* packed, T* to, Index to_matrix) const noexcept {
    Gemm<T> g;
    g.m = tiles, g.n = weights.cols, g.k = weights.depth;
    g.a_row = weights.depth, g.a_col = 1;
    g.b_row = weights.width, g.b_panel = weights.panel;
    g.c_row = weights.cols;
    for (Index i = 0; i < kMatrices; ++i) {
      g.a = from + i * from_matrix, g.b = packed + i * weights.count * weights.panel, g.c = to + i * to_matrix;
      k.gemm(g);
    }
  }

  void sums(const Kernels<T>& k, const typename ConvolutionOp<T>::Part& p) const noexcept override {
    T* const inputs = p.room;
    T* const outputs = inputs + kMatrices * input_matrix_;
    const Index tiles = p.samples * tiles_, all = pieces(tiles);
    for (Index i = p.units.begin; i < p.units.end; ++i) {
      const Range piece{tiles * i / all, tiles * (i + 1) / all};
      transform_inputs(k, piece, p.x, inputs);
      multiply_weights(k, piece.size(), inputs, input_matrix_, forward_, p.packed + packed_at(), outputs,
                       output_matrix_);
      each_line(piece, [&](Index sample, const WinogradLine& line, Index at) {
        k.winograd_outputs(among_outputs(line), outputs + at * filters_, p.epilogue, p.y + sample * this->outputs_);
      });
    }
  }

  void back(const Kernels<T>& k, const typename ConvolutionOp<T>::Back& b) const noexcept override {
    T* const inputs = b.room;
    T* const gradients = inputs + kMatrices * input_matrix_;
    const Index tiles = b.samples * tiles_, all = pieces(tiles);
    if (b.dx != nullptr) k.fill(b.samples * this->inputs_, T(0), b.dx);
    for (Index i = 0; i < all; ++i) {
      const Range piece{tiles * i / all, tiles * (i + 1) / all};
      each_line(piece, [&](Index sample, const WinogradLine& line, Index at) {
        k.winograd_gradients(among_outputs(line), b.dz + sample * this->outputs_, gradients + at * filters_);
      });
      if (b.sum != nullptr) {
        transform_inputs(k, piece, b.x, inputs);
        add_weights(k, piece.size(), inputs, gradients, b.sum, b.accumulate || i > 0);
      }
      if (b.dx == nullptr) continue;
      multiply_weights(k, piece.size(), gradients, output_matrix_, backward_, b.packed + packed_at(), inputs,
                       input_matrix_);
      each_line(piece, [&](Index sample, const WinogradLine& line, Index at) {
        k.winograd_add_inputs(among_inputs(line), inputs + at * channels_, b.dx + sample * this->inputs_);
      });
    }
  }

  void add_weights(const Kernels<T>& k, Index tiles, const T* inputs, const T* gradients, T* sum,
                   bool accumulate) const noexcept {
    Gemm<T> g;
    g.m = channels_, g.n = filters_, g.k = tiles;
    g.a_row = 1, g.a_col = channels_;
    g.b_row = filters_, g.c_row = filters_;
    g.accumulate = accumulate;
    for (Index i = 0; i < kMatrices; ++i) {
      g.a = inputs + i * input_matrix_, g.b = gradients + i * output_matrix_, g.c = sum + i * matrix_;
      k.gemm(g);
    }
  }

  void join_weights(const Kernels<T>& k, const T* sums, T* room, T* dw, bool accumulate,
                    const Worker& who) const noexcept override {
    this->join(k, kMatrices * matrix_, sums, room, false, who);
    who.sync();
    const Range part = who.share(matrix_, 16);
    if (part.size() > 0)
      k.winograd_weights_gradient(part.size(), matrix_, room + part.begin, dw + part.begin, accumulate);
  }

  WindowAxis height_, width_;
  Index channels_ = 1, filters_ = 1;
  Index tile_cols_ = 1, tiles_ = 1;  // of a sample
  Index most_tiles_ = 1;             // of a piece
  Index matrix_ = 1;                 // elements of one of the sixteen matrices of weights
  Index input_matrix_ = 1, output_matrix_ = 1;
  Panels forward_, backward_;
};

}  // namespace fastgd

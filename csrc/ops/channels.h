// A tensor seen by channel, cut into blocks that threads share: what batch and group normalisation and rescaling use.
#pragma once

#include <algorithm>

#include "ops/op.h"

namespace fastgd {

// x[unit][row][channel][inner]: a unit has statistics of its own (a sample, or the whole batch).
struct ChannelView {
  Index units = 1, rows = 0, channels = 0, inner = 1;

  // Of the axes before the channels the first `own` number the units.
  ChannelView() = default;
  ChannelView(const Shape& x, Index axis, std::size_t own) {
    check(axis >= 1 && axis < static_cast<Index>(x.size()), "`axis` must be an axis behind the batch of ", to_string(x),
          ". Received: axis=", axis);
    units = count(std::span(x).first(own));
    std::tie(rows, channels, inner) = cut_around(std::span(x).subspan(own), axis - static_cast<Index>(own));
  }

  Channels kind() const { return inner == 1 ? Channels::columns : Channels::rows; }
  Index size() const { return units * rows * channels * inner; }
  // Elements of one channel in one unit.
  Index length() const { return rows * inner; }

  // A piece has a partial sum of each channel: some rows, or the inner elements of one row. Its size depends on
  // nothing but the shape, so that sums do not depend on who adds them.
  static constexpr Index kPieceRows = 128;
  Index pieces() const { return inner == 1 ? (rows + kPieceRows - 1) / kPieceRows : rows; }
  Index piece_length(Index piece) const { return inner == 1 ? std::min(kPieceRows, rows - piece * kPieceRows) : inner; }
};

// A matrix of some channels of a piece.
struct ChannelBlock {
  Index at = 0, stride = 0;        // of the first element, and from row to row
  Index rows = 0, cols = 0;        // of the matrix
  Index partial = 0, channel = 0;  // the place of its first channel among (units, pieces, channels), (units, channels)
};

template <class F>
void each_channel_block(const ChannelView& v, const Worker& who, F f) {
  const bool columns = v.inner == 1;
  const Index tile = columns ? 256 : 16;
  const Index tiles = (v.channels + tile - 1) / tile, pieces = v.pieces();
  const Range items = who.share(v.units * pieces * tiles);
  for (Index item = items.begin; item < items.end; ++item) {
    const Index from = item % tiles * tile, piece = item / tiles % pieces, unit = item / tiles / pieces;
    const Index channels = std::min(tile, v.channels - from);
    const Index row = unit * v.rows + (columns ? piece * ChannelView::kPieceRows : piece);
    ChannelBlock b;
    b.at = (row * v.channels + from) * v.inner;
    b.stride = columns ? v.channels : v.inner;
    b.rows = columns ? v.piece_length(piece) : channels;
    b.cols = columns ? channels : v.inner;
    b.partial = (unit * pieces + piece) * v.channels + from;
    b.channel = unit * v.channels + from;
    f(b);
  }
}

template <class T>
ChannelLine<T> line_from(const ChannelLine<T>& line, Index channel) {
  const auto from = [=](const T* values) { return values == nullptr ? nullptr : values + channel; };
  return {from(line.mean), from(line.factor), from(line.slope), from(line.shift)};
}

// y = factor dy + slope (x - mean) + shift for a block, the coefficients by unit and channel.
template <class T>
void channel_line(const Kernels<T>& k, const ChannelView& v, const ChannelBlock& b, const T* x, const T* dy,
                  const ChannelLine<T>& line, T* y) {
  k.channel_affine(v.kind(), b.rows, b.cols, x + b.at, dy == nullptr ? nullptr : dy + b.at, b.stride,
                   line_from(line, b.channel), y + b.at);
}

// The same for all elements.
template <class T>
void channel_lines(const Kernels<T>& k, const ChannelView& v, const T* x, const T* dy, const ChannelLine<T>& line, T* y,
                   const Worker& who) {
  each_channel_block(v, who, [&](const ChannelBlock& b) { channel_line(k, v, b, x, dy, line, y); });
}

}  // namespace fastgd

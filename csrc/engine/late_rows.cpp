// Bringing rows up to date, and keeping count of what they have missed.
#include "engine/late_rows.h"

#include <algorithm>

namespace fastgd {

template <class T>
void LateRows<T>::add(Index param, Index rows, Index width) {
  for (const Table& table : tables_)
    if (table.param == param) return;
  tables_.push_back({param, rows, width, std::vector<std::uint32_t>(static_cast<std::size_t>(rows))});
  log_.reserve(static_cast<std::size_t>(kLongestLog));
}

template <class T>
typename LateRows<T>::Table& LateRows<T>::table_of(Index param) noexcept {
  return *std::find_if(tables_.begin(), tables_.end(), [&](const Table& table) { return table.param == param; });
}

template <class T>
void LateRows<T>::catch_up(Index param, const Update<T>& update, const Kernels<T>& kernels, const Segment<T>& whole,
                           Range elements, const std::vector<T*>& slots) noexcept {
  Table& table = table_of(param);
  const Range rows{elements.begin / table.width, elements.end / table.width};
  advance(table, static_cast<Index>(log_.size()) - 1, update, kernels, whole, rows, slots);
}

template <class T>
void LateRows<T>::note(Index param, Range elements) noexcept {
  Table& table = table_of(param);
  for (Index row = elements.begin / table.width; row < elements.end / table.width; ++row)
    table.steps[static_cast<std::size_t>(row)] = static_cast<std::uint32_t>(log_.size());
}

template <class T>
void LateRows<T>::clear() noexcept {
  for (Table& table : tables_) std::fill(table.steps.begin(), table.steps.end(), 0u);
  log_.clear();
  complete_ = 0;
}

template <class T>
void LateRows<T>::advance(Table& table, Index to, const Update<T>& update, const Kernels<T>& kernels,
                          const Segment<T>& whole, Range rows, const std::vector<T*>& slots) noexcept {
  const auto last = static_cast<std::uint32_t>(to);
  for (Index row = rows.begin; row < rows.end;) {
    const std::uint32_t from = table.steps[static_cast<std::size_t>(row)];
    Index end = row;
    while (end < rows.end && table.steps[static_cast<std::size_t>(end)] == from) ++end;
    // A row that an unfinished batch has updated is ahead of the others.
    if (from < last) {
      for (Index i = row * table.width; i < end * table.width; i += kUpdatePiece) {
        const Segment<T> piece = whole.part(i, std::min(kUpdatePiece, end * table.width - i));
        update.rest(kernels, log_.data() + from, log_.data() + last, piece, slots);
      }
      std::fill(table.steps.begin() + row, table.steps.begin() + end, last);
    }
    row = end;
  }
}

template class LateRows<float>;
template class LateRows<double>;

}  // namespace fastgd

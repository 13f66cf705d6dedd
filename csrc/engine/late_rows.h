// Rows of parameters whose gradient is 0 in most batches: what they miss is made good before anybody reads them.
//
// An update of a row with gradient 0 hangs on nothing but the row, its slots and the numbers of the step. So it may
// wait: a log keeps the numbers of the steps, each row the place in the log up to which it has come, and all the steps
// that a row has missed run over it at once, in their order and with the bits that they would have had, while it is in
// a first cache.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/update.h"
#include "threads/team.h"

namespace fastgd {

template <class T>
class LateRows {
 public:
  // Whether a parameter of so many rows is worth it: a smaller one stays in a cache anyway, in shorter rows calls cost
  // more than memory. A plan with such a parameter is never cut into groups, which would all have its gradient.
  static constexpr bool pays(Index rows, Index width) {
    const auto bytes = static_cast<Index>(sizeof(T));
    return width * bytes >= kLeastRow && rows * width * bytes > kLeastTable;
  }

  // Parameters by their numbers; those that are there stay. `forget` drops all, when none of them has missed a step.
  void add(Index param, Index rows, Index width);

  void forget() noexcept { tables_.clear(); }

  bool any() const { return !tables_.empty(); }
  // Batches until the log is full.
  Index room() const { return kLongestLog - static_cast<Index>(log_.size()); }

  // A batch begins, or has been done; by one thread.
  void begin(const StepNumbers& step) noexcept {
    if (any()) log_.push_back(step);
  }
  void done() noexcept { complete_ = static_cast<Index>(log_.size()); }

  // Makes good what elements, whole rows of the parameter `whole`, have missed before this batch.
  void catch_up(Index param, const Update<T>& update, const Kernels<T>& kernels, const Segment<T>& whole,
                Range elements, const std::vector<T*>& slots) noexcept;
  // Notes that elements, whole rows of a parameter, have had this batch's step.
  void note(Index param, Range elements) noexcept;

  // The same for all rows after some batches, by this worker's share; then `clear`, by one thread.
  template <class F>
  void finish(const Update<T>& update, const Kernels<T>& kernels, const std::vector<T*>& slots, F segment,
              const Worker& who) noexcept {
    for (Table& table : tables_) {
      const Range rows = who.share(table.rows, kApart);
      if (rows.size() > 0) advance(table, complete_, update, kernels, segment(table.param), rows, slots);
    }
  }
  void clear() noexcept;

 private:
  struct Table {
    Index param = 0, rows = 0, width = 0;
    std::vector<std::uint32_t> steps;  // per row: those of the log that it has had
  };

  // Steps between two meetings of all rows. Long enough to make them rare; a row's visit is longer than a wait anyway.
  static constexpr Index kLongestLog = 1024;
  static constexpr Index kLeastRow = 128, kLeastTable = 512 * 1024;  // bytes
  static constexpr Index kApart = 64;                                // rows

  Table& table_of(Index param) noexcept;
  // Brings rows up to the step `to` of the log; neighbours that have missed the same go together. `whole` is all of the
  // parameter.
  void advance(Table& table, Index to, const Update<T>& update, const Kernels<T>& kernels, const Segment<T>& whole,
               Range rows, const std::vector<T*>& slots) noexcept;

  std::vector<Table> tables_;
  std::vector<StepNumbers> log_;
  Index complete_ = 0;  // steps of the log whose batches have been finished
};

}  // namespace fastgd

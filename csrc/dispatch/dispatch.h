// The choice of the kernel table: the best that the processor runs, or the one that FASTGD_ISA names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kernels/kernels.h"

namespace fastgd {

// The tiers that were built in and that this processor runs, best first.
const std::vector<const KernelTable*>& available_tables();

// The table called `isa`; with an empty name the one FASTGD_ISA names, else the best. Throws InvalidArgument with the
// list.
const KernelTable& kernel_table(std::string_view isa = "");

// Whether rows that lie a power of two apart push one another out of the first cache when they are read side by side.
// AMD's processors lose a fifth of a product that way. Intel's lose 2 %, less than a copy in another order costs: 512
// cubed takes 6 % less time without it on a Xeon.
bool rows_share_sets();

}  // namespace fastgd

// The tables of all tiers by name; which of them are linked is the build's choice (cmake/FastgdIsa.cmake).
#pragma once

#include "kernels/kernels.h"

namespace fastgd {

namespace generic {
extern const KernelTable kTable;
}
namespace avx2 {
extern const KernelTable kTable;
}
namespace avx512 {
extern const KernelTable kTable;
}
namespace neon {
extern const KernelTable kTable;
}

}  // namespace fastgd

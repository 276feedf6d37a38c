// exp and log from additions, multiplications and divisions of doubles in a fixed order, so that every
// machine gives the same bits. Compile without contraction (-ffp-contract=off, --fmad=false). Errors are
// below 2 units in the last place of a double; callers round to float.
#pragma once
#include "portable.h"

namespace curate {

CURATE_HD double double_of_bits(u64 bits) {
  double value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

CURATE_HD u64 bits_of_double(double value) {
  u64 bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return bits;
}

// ln 2 in two parts: the first has 32 significant bits, so that a multiple of it by an exponent is exact.
constexpr double LN2_HIGH = 0x1.62e42fee00000p-1;
constexpr double LN2_LOW = 0x1.a39ef35793c76p-33;

// e to the x: 0 below -700, infinity above 700, otherwise 2^n * exp(r) with |r| <= ln(2)/2 by Taylor's series
// to the 13th power. Not-a-number stays not-a-number.
CURATE_HD double exact_exp(double x) {
  if (x < -700.0) return 0.0;
  if (x > 700.0) return double_of_bits(u64(0x7FF) << 52);
  if (!(x == x)) return x;
  i64 n = static_cast<i64>(x * 0x1.71547652b82fep+0 + (x < 0.0 ? -0.5 : 0.5));
  double r = (x - static_cast<double>(n) * LN2_HIGH) - static_cast<double>(n) * LN2_LOW;
  double sum = 1.0 / 6227020800.0;
  sum = sum * r + 1.0 / 479001600.0;
  sum = sum * r + 1.0 / 39916800.0;
  sum = sum * r + 1.0 / 3628800.0;
  sum = sum * r + 1.0 / 362880.0;
  sum = sum * r + 1.0 / 40320.0;
  sum = sum * r + 1.0 / 5040.0;
  sum = sum * r + 1.0 / 720.0;
  sum = sum * r + 1.0 / 120.0;
  sum = sum * r + 1.0 / 24.0;
  sum = sum * r + 1.0 / 6.0;
  sum = sum * r + 0.5;
  sum = sum * r + 1.0;
  sum = sum * r + 1.0;
  return sum * double_of_bits(static_cast<u64>(n + 1023) << 52);
}

// The natural logarithm of a positive normal number x = 2^n * m with m in [sqrt(1/2), sqrt(2)): n ln 2 + 2
// artanh(s), s = (m - 1) / (m + 1), by its series to the 23rd power.
CURATE_HD double exact_log(double x) {
  u64 bits = bits_of_double(x);
  i64 n = static_cast<i64>(bits >> 52) - 1023;
  double m = double_of_bits((bits & 0xFFFFFFFFFFFFFull) | 0x3FF0000000000000ull);
  if (m >= 0x1.6a09e667f3bcdp+0) {
    m = m * 0.5;
    n = n + 1;
  }
  double s = (m - 1.0) / (m + 1.0);
  double q = s * s;
  double sum = 1.0 / 23.0;
  sum = sum * q + 1.0 / 21.0;
  sum = sum * q + 1.0 / 19.0;
  sum = sum * q + 1.0 / 17.0;
  sum = sum * q + 1.0 / 15.0;
  sum = sum * q + 1.0 / 13.0;
  sum = sum * q + 1.0 / 11.0;
  sum = sum * q + 1.0 / 9.0;
  sum = sum * q + 1.0 / 7.0;
  sum = sum * q + 1.0 / 5.0;
  sum = sum * q + 1.0 / 3.0;
  double tail = 2.0 * s * (q * sum) + static_cast<double>(n) * LN2_LOW;
  return static_cast<double>(n) * LN2_HIGH + (2.0 * s + tail);
}

}  // namespace curate

/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/*
 * The body of one kernel variant. kernel.cc includes this file once per variant, inside a
 * namespace of its own, with these macros defined:
 *   BEARING_TARGET          function attribute that selects the instruction set
 *   BEARING_VECTOR_BYTES    width of a vector
 *   BEARING_REGISTER        constraint of an assembly operand in any vector register; not
 *                           defined where that is unknown
 *   BEARING_THREE_MULTIPLY  1 for the second method below, which pays where there are 32
 *                           vector registers; 0 for the first, with tiles for 16
 * (no include guard, therefore). It is text and not a template over the vector type
 * because GCC lowers vector operations for the target of the function that they are
 * written in, before it inlines: every function here needs the attribute itself.
 *
 * First method. With complex samples interleaved in a vector x = (re, im, re, im, ...),
 *   acc1 += x_i * x_j         Re R_ij is the sum of all lanes
 *   acc2 += x_i * swap(x_j)   Im R_ij is the sum of odd lanes less that of even ones
 * where swap exchanges re and im. The diagonal needs acc1 only, hence N^2 multiply-adds
 * for N channels and a vector of samples, and one swap per channel and tile.
 *
 * Second method: Gauss's product of complex numbers by three multiplications, on two
 * vectors at a time. With the real parts of both collected in one vector and the
 * imaginary parts in another, acc2 += (re_i + im_i) * (re_j - im_j) and Im R_ij is the
 * sum of all lanes of acc2, less the even ones of acc1, plus the odd ones of acc1. That
 * makes (3 N^2 + N) / 4 multiply-adds a vector; the shuffles and additions run beside
 * them.
 */

static constexpr int lanes = BEARING_VECTOR_BYTES / sizeof(float);
static constexpr std::size_t samples_per_vector = lanes / 2;

/* Floats of one channel that a step takes. */
static constexpr int unit = (BEARING_THREE_MULTIPLY ? 2 : 1) * lanes;
static constexpr std::size_t samples_per_unit = unit / 2;

/* Floats of one channel that go into one set of accumulators. */
static constexpr std::ptrdiff_t chunk = vectors_per_chunk * lanes;

/* Stream buffers are aligned to one sample at best, and hold another type. */
typedef float vec __attribute__((vector_size(BEARING_VECTOR_BYTES)));
typedef float unaligned_vec
    __attribute__((vector_size(BEARING_VECTOR_BYTES), aligned(4), may_alias));
typedef int vec_index __attribute__((vector_size(BEARING_VECTOR_BYTES)));

BEARING_TARGET BEARING_INLINE vec load(const float* p)
{
    return *reinterpret_cast<const unaligned_vec*>(p);
}

/* Loads into a register for good: GCC would rather read memory again for each of the many
 * uses of x, which the load ports cannot keep up with. */
BEARING_TARGET BEARING_INLINE vec load_register(const float* p)
{
    vec x = load(p);
#ifdef BEARING_REGISTER
    __asm__("" : BEARING_REGISTER(x));
#endif
    return x;
}

BEARING_TARGET BEARING_INLINE vec swap_re_im(vec x)
{
#if BEARING_VECTOR_BYTES == 64
    return BEARING_SHUFFLE(x, x, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
#elif BEARING_VECTOR_BYTES == 32
    return BEARING_SHUFFLE(x, x, 1, 0, 3, 2, 5, 4, 7, 6);
#else
    return BEARING_SHUFFLE(x, x, 1, 0, 3, 2);
#endif
}

#if BEARING_THREE_MULTIPLY
/* Real and imaginary parts of two vectors of samples, in one order for all channels: the
 * one that takes a single instruction. */
BEARING_TARGET BEARING_INLINE vec real_parts(vec x, vec y)
{
    return BEARING_SHUFFLE(
        x, y, 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30);
}

BEARING_TARGET BEARING_INLINE vec imaginary_parts(vec x, vec y)
{
    return BEARING_SHUFFLE(
        x, y, 1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31);
}
#endif

/* Sums of the even and of the odd lanes, in double. */
BEARING_TARGET BEARING_INLINE void sum_lanes(vec x, double& even, double& odd)
{
    alignas(BEARING_VECTOR_BYTES) float part[lanes];
    *reinterpret_cast<unaligned_vec*>(part) = x;
    double4 total =
        __builtin_convertvector(*reinterpret_cast<const float4*>(part), double4);
    for (int k = 4; k < lanes; k += 4)
        total +=
            __builtin_convertvector(*reinterpret_cast<const float4*>(part + k), double4);
    even = total[0] + total[2];
    odd = total[1] + total[3];
}

/* Adds the lanes of a pair's two accumulators to its entry (re, im). */
BEARING_TARGET BEARING_INLINE void finish(vec sum1, vec sum2, double* out)
{
    double even1, odd1, even2, odd2;
    sum_lanes(sum1, even1, odd1);
    sum_lanes(sum2, even2, odd2);
    out[0] += even1 + odd1;
#if BEARING_THREE_MULTIPLY
    out[1] += (even2 + odd2) - (even1 - odd1);
#else
    out[1] += odd2 - even2;
#endif
}

/* One step of a triangle: products of the M channels p at float k. */
template <int M>
BEARING_TARGET BEARING_INLINE void triangle_step(const float* const* p,
                                                 std::ptrdiff_t k,
                                                 vec (&acc1)[M][M],
                                                 vec (&acc2)[M][M])
{
#if BEARING_THREE_MULTIPLY
#pragma GCC unroll 8
    for (int h = 0; h < 2; ++h) {
        BEARING_RELOAD;
        vec x[M];
#pragma GCC unroll 8
        for (int c = 0; c < M; ++c) {
            x[c] = load_register(p[c] + k + h * lanes);
#pragma GCC unroll 8
            for (int r = 0; r <= c; ++r)
                acc1[r][c] += x[r] * x[c];
        }
    }
    vec s[M];
#pragma GCC unroll 8
    for (int c = 0; c < M; ++c) {
        BEARING_RELOAD;
        const vec x = load_register(p[c] + k), y = load_register(p[c] + k + lanes);
        const vec re = real_parts(x, y), im = imaginary_parts(x, y);
        s[c] = re + im;
        const vec d = re - im;
#pragma GCC unroll 8
        for (int r = 0; r < c; ++r)
            acc2[r][c] += s[r] * d;
    }
#else
    vec x[M];
#pragma GCC unroll 8
    for (int c = 0; c < M; ++c) {
        x[c] = load_register(p[c] + k);
#pragma GCC unroll 8
        for (int r = 0; r <= c; ++r)
            acc1[r][c] += x[r] * x[c];
        const vec y = swap_re_im(x[c]);
#pragma GCC unroll 8
        for (int r = 0; r < c; ++r)
            acc2[r][c] += x[r] * y;
    }
#endif
}

/* Channels i .. i+M-1 with themselves. U sets of accumulators hide the latency of the
 * multiply-add where M is too small for that. */
template <int M, int U>
BEARING_TARGET static void triangle(const block& b, int i, double* sum, int n)
{
    vec sum1[M][M], sum2[M][M];
    for (int c = 0; c < M; ++c)
        for (int r = 0; r <= c; ++r)
            sum1[r][c] = sum2[r][c] = vec{};
#if BEARING_THREE_MULTIPLY
    BEARING_IN_MEMORY(sum1);
    BEARING_IN_MEMORY(sum2);
#endif

    for (int s = 0; s < 2; ++s) {
        const float* p[M];
        for (int r = 0; r < M; ++r)
            p[r] = b.part[s].channels[i + r] + b.part[s].begin;
        for (std::ptrdiff_t left = b.part[s].count; left > 0;) {
            const std::ptrdiff_t count = left < chunk ? left : chunk;
            vec acc1[U][M][M], acc2[U][M][M];
#pragma GCC unroll 8
            for (int u = 0; u < U; ++u)
#pragma GCC unroll 8
                for (int c = 0; c < M; ++c)
#pragma GCC unroll 8
                    for (int r = 0; r <= c; ++r)
                        acc1[u][r][c] = acc2[u][r][c] = vec{};
            std::ptrdiff_t k = 0;
            for (; k + (U - 1) * unit < count; k += U * unit) {
#pragma GCC unroll 8
                for (int u = 0; u < U; ++u)
                    triangle_step<M>(p, k + u * unit, acc1[u], acc2[u]);
            }
            if (U > 1) {
                for (; k < count; k += unit)
                    triangle_step<M>(p, k, acc1[0], acc2[0]);
            }
#pragma GCC unroll 8
            for (int u = 0; u < U; ++u)
#pragma GCC unroll 8
                for (int c = 0; c < M; ++c) {
#pragma GCC unroll 8
                    for (int r = 0; r <= c; ++r)
                        sum1[r][c] += acc1[u][r][c];
#pragma GCC unroll 8
                    for (int r = 0; r < c; ++r)
                        sum2[r][c] += acc2[u][r][c];
                }
            for (int r = 0; r < M; ++r)
                p[r] += count;
            left -= count;
        }
    }

    for (int c = 0; c < M; ++c) {
        for (int r = 0; r <= c; ++r) {
            double* out = sum + 2 * ((i + r) + static_cast<std::ptrdiff_t>(i + c) * n);
            if (r < c) {
                finish(sum1[r][c], sum2[r][c], out);
            } else {
                double even, odd;
                sum_lanes(sum1[r][c], even, odd);
                out[0] += even + odd;
            }
        }
    }
}

/* One step of a rectangle: products of the R channels p with the C channels q. */
template <int R, int C>
BEARING_TARGET BEARING_INLINE void rectangle_step(const float* const* p,
                                                  const float* const* q,
                                                  std::ptrdiff_t k,
                                                  vec (&acc1)[R][C],
                                                  vec (&acc2)[R][C])
{
#if BEARING_THREE_MULTIPLY
    vec x0[R], x1[R], s[R];
    BEARING_RELOAD;
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
        x0[r] = load_register(p[r] + k);
        x1[r] = load_register(p[r] + k + lanes);
        s[r] = real_parts(x0[r], x1[r]) + imaginary_parts(x0[r], x1[r]);
    }
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) {
        BEARING_RELOAD;
        const vec z0 = load_register(q[c] + k), z1 = load_register(q[c] + k + lanes);
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r)
            acc1[r][c] += x0[r] * z0;
        const vec d = real_parts(z0, z1) - imaginary_parts(z0, z1);
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r)
            acc1[r][c] += x1[r] * z1;
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r)
            acc2[r][c] += s[r] * d;
    }
#else
    vec x[R];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
        x[r] = load_register(p[r] + k);
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) {
        const vec z = load(q[c] + k);
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r)
            acc1[r][c] += x[r] * z;
        const vec y = swap_re_im(z);
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r)
            acc2[r][c] += x[r] * y;
    }
#endif
}

/* Channels i .. i+R-1 with channels j .. j+C-1, j >= i+R. */
template <int R, int C>
BEARING_TARGET static void rectangle(const block& b, int i, int j, double* sum, int n)
{
    vec sum1[R][C], sum2[R][C];
    for (int c = 0; c < C; ++c)
        for (int r = 0; r < R; ++r)
            sum1[r][c] = sum2[r][c] = vec{};
#if BEARING_THREE_MULTIPLY
    BEARING_IN_MEMORY(sum1);
    BEARING_IN_MEMORY(sum2);
#endif

    for (int s = 0; s < 2; ++s) {
        const float *p[R], *q[C];
        for (int r = 0; r < R; ++r)
            p[r] = b.part[s].channels[i + r] + b.part[s].begin;
        for (int c = 0; c < C; ++c)
            q[c] = b.part[s].channels[j + c] + b.part[s].begin;
        for (std::ptrdiff_t left = b.part[s].count; left > 0;) {
            const std::ptrdiff_t count = left < chunk ? left : chunk;
            vec acc1[R][C], acc2[R][C];
#pragma GCC unroll 8
            for (int c = 0; c < C; ++c)
#pragma GCC unroll 8
                for (int r = 0; r < R; ++r)
                    acc1[r][c] = acc2[r][c] = vec{};
            for (std::ptrdiff_t k = 0; k < count; k += unit)
                rectangle_step<R, C>(p, q, k, acc1, acc2);
#pragma GCC unroll 8
            for (int c = 0; c < C; ++c)
#pragma GCC unroll 8
                for (int r = 0; r < R; ++r) {
                    sum1[r][c] += acc1[r][c];
                    sum2[r][c] += acc2[r][c];
                }
            for (int r = 0; r < R; ++r)
                p[r] += count;
            for (int c = 0; c < C; ++c)
                q[c] += count;
            left -= count;
        }
    }

    for (int c = 0; c < C; ++c) {
        for (int r = 0; r < R; ++r) {
            double* out = sum + 2 * ((i + r) + static_cast<std::ptrdiff_t>(j + c) * n);
            finish(sum1[r][c], sum2[r][c], out);
        }
    }
}

/* Covers the upper triangle of the n x n matrix with tiles that stay in registers. */
BEARING_TARGET static void tiles(const block& b, double* sum, int n)
{
    for (int i = 0; i < n;) {
        const int left = n - i;
#if BEARING_THREE_MULTIPLY
        const int m = left <= 5 ? left : 3;
        switch (m) {
        case 1:
            triangle<1, 4>(b, i, sum, n);
            break;
        case 2:
            triangle<2, 2>(b, i, sum, n);
            break;
        case 3:
            triangle<3, 1>(b, i, sum, n);
            for (int j = i + 3; j < n;) {
                const int columns = n - j;
                if (columns == 1) {
                    rectangle<3, 1>(b, i, j, sum, n);
                    j += 1;
                } else if (columns == 2 || columns == 4) {
                    rectangle<3, 2>(b, i, j, sum, n);
                    j += 2;
                } else {
                    rectangle<3, 3>(b, i, j, sum, n);
                    j += 3;
                }
            }
            break;
        case 4:
            triangle<4, 1>(b, i, sum, n);
            break;
        default:
            triangle<5, 1>(b, i, sum, n);
        }
#else
        /* Four is two and two: three and one would end in a slow small triangle. */
        const int m = left <= 3 ? left : left == 4 ? 2 : 3;
        switch (m) {
        case 1:
            triangle<1, 4>(b, i, sum, n);
            break;
        case 2:
            triangle<2, 2>(b, i, sum, n);
            if (left == 4)
                rectangle<2, 2>(b, i, i + 2, sum, n);
            break;
        default:
            triangle<3, 1>(b, i, sum, n);
            for (int j = i + 3; j < n; j += 2) {
                if (n - j == 1)
                    rectangle<3, 1>(b, i, j, sum, n);
                else
                    rectangle<3, 2>(b, i, j, sum, n);
            }
        }
#endif
        i += m;
    }
}

BEARING_TARGET static void accumulate(const float* const* channels,
                                      int num_elements,
                                      std::size_t num_snapshots,
                                      double* sum)
{
    if (num_snapshots == 0)
        return;

    /* Samples before the first aligned vector and after the last whole one go through the
     * same tiles from a small buffer, padded with zeros (which add nothing, not even to
     * NaN: a padded lane is zero in every channel). */
    const std::size_t head =
        samples_to_alignment(channels, num_elements, num_snapshots, samples_per_vector);
    const std::size_t num_units = (num_snapshots - head) / samples_per_unit;
    const std::size_t main_end = head + num_units * samples_per_unit;
    const std::size_t num_edge = head + (num_snapshots - main_end);
    const std::size_t edge_units = (num_edge + samples_per_unit - 1) / samples_per_unit;
    alignas(64) float edge[max_elements][2 * unit];
    const float* edge_channels[max_elements];
    if (edge_units > 0) {
        for (int i = 0; i < num_elements; ++i) {
            std::memset(edge[i], 0, sizeof(edge[i]));
            std::memcpy(edge[i], channels[i], 2 * sizeof(float) * head);
            std::memcpy(edge[i] + 2 * head,
                        channels[i] + 2 * main_end,
                        2 * sizeof(float) * (num_snapshots - main_end));
            edge_channels[i] = edge[i];
        }
    } else {
        for (int i = 0; i < num_elements; ++i)
            edge_channels[i] = channels[i];
    }

    /* Blocks are equal, so that none is a mere crumb, and hold little enough to stay in
     * the second-level cache while the tiles pass over them. */
    const std::size_t cached =
        cache_bytes / (static_cast<std::size_t>(num_elements) * sizeof(float) * unit);
    constexpr std::size_t max_units_per_block = max_vectors_per_block * lanes / unit;
    const std::size_t longest =
        cached < max_units_per_block ? cached : max_units_per_block;
    const std::size_t total = num_units + edge_units;
    const std::size_t num_blocks = (total + longest - 1) / longest;
    const std::size_t step = (total + num_blocks - 1) / num_blocks;

    block b;
    b.part[0].channels = channels;
    b.part[1].channels = edge_channels;
    b.part[1].begin = 0;
    for (std::size_t done = 0; done < total;) {
        const std::size_t size = total - done < step ? total - done : step;
        const std::size_t first = done < num_units ? done : num_units;
        const std::size_t last = done + size < num_units ? done + size : num_units;
        b.part[0].begin = 2 * head + first * unit;
        b.part[0].count = (last - first) * unit;
        /* The edge follows the last block; a block may also begin inside it. */
        const std::size_t edge_first = done > num_units ? done - num_units : 0;
        const std::size_t edge_last =
            done + size > num_units ? done + size - num_units : 0;
        b.part[1].begin = edge_first * unit;
        b.part[1].count = (edge_last - edge_first) * unit;
        tiles(b, sum, num_elements);
        done += size;
    }
}

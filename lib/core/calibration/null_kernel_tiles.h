/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/*
 * The body of one variant of null_kernel. null_kernel.cc includes this file once per
 * variant, inside a namespace of its own, with these macros defined:
 *   BEARING_TARGET          function attribute that selects the instruction set
 *   BEARING_VECTOR_BYTES    width of a vector
 * (no include guard, therefore). It is text and not a template over the vector type
 * because GCC lowers vector operations for the target of the function that they are
 * written in, before it inlines: every function here needs the attribute itself.
 *
 * A tile is as many points as a vector has lanes; all loops run over elements and sources,
 * so a tile needs no sum over lanes.
 */

static constexpr int lanes = BEARING_VECTOR_BYTES / sizeof(double);

typedef double vec __attribute__((vector_size(BEARING_VECTOR_BYTES)));
typedef double unaligned_vec
    __attribute__((vector_size(BEARING_VECTOR_BYTES), aligned(8), may_alias));

BEARING_TARGET BEARING_INLINE vec load(const double* p)
{
    return *reinterpret_cast<const unaligned_vec*>(p);
}

BEARING_TARGET BEARING_INLINE void store(double* p, vec x)
{
    *reinterpret_cast<unaligned_vec*>(p) = x;
}

/* cos and sin of 2 pi turns, to 1e-15: Taylor series of a quarter of the angle, at most
 * pi / 4, up to its 17th power, and two doublings of the angle. */
BEARING_TARGET BEARING_INLINE void phasor(vec turns, vec& re, vec& im)
{
    /* Adding and taking off 3 * 2^51 rounds to an integer. */
    constexpr double rounding = 6755399441055744.0;
    const vec whole = (turns + rounding) - rounding;
    const vec z = (turns - whole) * 1.5707963267948966;
    const vec q = z * z;
    vec c = q * (1.0 / 20922789888000.0) - 1.0 / 87178291200.0;
    c = c * q + 1.0 / 479001600.0;
    c = c * q - 1.0 / 3628800.0;
    c = c * q + 1.0 / 40320.0;
    c = c * q - 1.0 / 720.0;
    c = c * q + 1.0 / 24.0;
    c = c * q - 0.5;
    c = c * q + 1.0;
    vec s = q * (1.0 / 355687428096000.0) - 1.0 / 1307674368000.0;
    s = s * q + 1.0 / 6227020800.0;
    s = s * q - 1.0 / 39916800.0;
    s = s * q + 1.0 / 362880.0;
    s = s * q - 1.0 / 5040.0;
    s = s * q + 1.0 / 120.0;
    s = s * q - 1.0 / 6.0;
    s = z + z * (s * q);
    const vec half_c = 1.0 - 2.0 * s * s;
    const vec half_s = 2.0 * s * c;
    re = 1.0 - 2.0 * half_s * half_s;
    im = 2.0 * half_s * half_c;
}

/* One tile: a goes to scratch, v to c. */
BEARING_TARGET BEARING_INLINE void
steer(const split_array* array, vec sine, vec cosine, double* a, double* c)
{
    for (int n = 0; n < array->num_elements; ++n) {
        vec re, im;
        phasor(array->x[n] * sine + array->y[n] * cosine, re, im);
        store(c + 2 * n * lanes, re);
        store(c + (2 * n + 1) * lanes, im);
        const double gr = array->gain_re[n], gi = array->gain_im[n];
        store(a + 2 * n * lanes, gr * re - gi * im);
        store(a + (2 * n + 1) * lanes, gr * im + gi * re);
    }
}

/* b = Es^H a. */
BEARING_TARGET BEARING_INLINE void correlate(
    const double* subspace, int num_elements, int num_sources, const double* a, double* b)
{
    for (int m = 0; m < num_sources; ++m) {
        const double* e = subspace + 2 * m;
        /* Four sums and not two: each is a chain of additions that wait for each other. */
        vec rr{}, ri{}, ir{}, ii{};
        for (int n = 0; n < num_elements; ++n, e += 2 * num_sources) {
            const vec re = load(a + 2 * n * lanes), im = load(a + (2 * n + 1) * lanes);
            rr += e[0] * re;
            ii += e[1] * im;
            ri += e[0] * im;
            ir += e[1] * re;
        }
        store(b + 2 * m * lanes, rr + ii);
        store(b + (2 * m + 1) * lanes, ri - ir);
    }
}

/* y = a - Es b, c = conj(v) y; returns |y|^2. */
BEARING_TARGET BEARING_INLINE vec reject(const double* subspace,
                                         int num_elements,
                                         int num_sources,
                                         const double* a,
                                         const double* b,
                                         double* c)
{
    vec sum{};
    for (int n = 0; n < num_elements; ++n) {
        vec re = load(a + 2 * n * lanes), im = load(a + (2 * n + 1) * lanes);
        for (int m = 0; m < num_sources; ++m, subspace += 2) {
            const vec br = load(b + 2 * m * lanes), bi = load(b + (2 * m + 1) * lanes);
            re -= subspace[0] * br - subspace[1] * bi;
            im -= subspace[0] * bi + subspace[1] * br;
        }
        sum += re * re + im * im;
        const vec vr = load(c + 2 * n * lanes), vi = load(c + (2 * n + 1) * lanes);
        store(c + 2 * n * lanes, vr * re + vi * im);
        store(c + (2 * n + 1) * lanes, vr * im - vi * re);
    }
    return sum;
}

BEARING_TARGET static void project(const split_array* array,
                                   const split_points* points,
                                   const double* subspace,
                                   int num_sources,
                                   double* scratch,
                                   double* d,
                                   double* c)
{
    const int n = array->num_elements;
    double* const a = scratch;
    double* const b = scratch + 2 * n * lanes;
    for (int k = 0; k < points->num_points; k += lanes, c += 2 * n * lanes) {
        steer(array, load(points->sine + k), load(points->cosine + k), a, c);
        correlate(subspace, n, num_sources, a, b);
        store(d + k, reject(subspace, n, num_sources, a, b, c));
    }
}

BEARING_TARGET static void pull(const split_array* array,
                                const split_points* points,
                                const double* weights,
                                const double* c,
                                double* sums)
{
    for (int k = 0; k < points->num_points; k += lanes) {
        const vec w = load(weights + k);
        const vec by_x = w * load(points->sine + k), by_y = w * load(points->cosine + k);
        double* sum = sums;
        for (int n = 0; n < array->num_elements; ++n, c += 2 * lanes, sum += 4 * lanes) {
            const vec re = load(c), im = load(c + lanes);
            const vec t = array->gain_re[n] * im - array->gain_im[n] * re;
            store(sum, load(sum) + w * re);
            store(sum + lanes, load(sum + lanes) + w * im);
            store(sum + 2 * lanes, load(sum + 2 * lanes) + by_x * t);
            store(sum + 3 * lanes, load(sum + 3 * lanes) + by_y * t);
        }
    }
}

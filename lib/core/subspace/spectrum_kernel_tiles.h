/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/*
 * The body of one kernel variant. spectrum_kernel.cc includes this file once per variant,
 * inside a namespace of its own, with these macros defined:
 *   BEARING_TARGET           function attribute that selects the instruction set
 *   BEARING_VECTOR_BYTES     width of a vector
 *   BEARING_VECTORS_AT_ONCE  vectors of angles that go through a loop together: enough to
 *                            hide the latency of a multiply-add, few enough for the
 *                            registers
 * (no include guard, therefore). It is text and not a template over the vector type
 * because GCC lowers vector operations for the target of the function that they are
 * written in, before it inlines: every function here needs the attribute itself.
 */

static constexpr int lanes = BEARING_VECTOR_BYTES / sizeof(double);
static constexpr int at_once = BEARING_VECTORS_AT_ONCE;

typedef double vec __attribute__((vector_size(BEARING_VECTOR_BYTES)));
typedef double unaligned_vec
    __attribute__((vector_size(BEARING_VECTOR_BYTES), aligned(8), may_alias));

/* The first `count` of the lanes; the rest is zero. */
BEARING_TARGET BEARING_INLINE vec load(const double* p, std::ptrdiff_t count)
{
    if (count >= lanes)
        return *reinterpret_cast<const unaligned_vec*>(p);
    alignas(BEARING_VECTOR_BYTES) double part[lanes] = {};
    for (int i = 0; i < lanes; ++i)
        if (i < count)
            part[i] = p[i];
    return *reinterpret_cast<const unaligned_vec*>(part);
}

BEARING_TARGET BEARING_INLINE void store(vec x, double* p, std::ptrdiff_t count)
{
    if (count >= lanes) {
        *reinterpret_cast<unaligned_vec*>(p) = x;
        return;
    }
    alignas(BEARING_VECTOR_BYTES) double part[lanes];
    *reinterpret_cast<unaligned_vec*>(part) = x;
    for (int i = 0; i < lanes; ++i)
        if (i < count)
            p[i] = part[i];
}

BEARING_TARGET BEARING_INLINE void
finish(vec form, const double* scale, double offset, double* out, std::ptrdiff_t count)
{
    if (scale)
        form *= load(scale, count);
    store(form + offset, out, count);
}

/* K vectors v and U vectors of angles at once: adds their part of the form. */
template <int K, int U>
BEARING_TARGET BEARING_INLINE void add_squares(const double* real,
                                               const double* imag,
                                               std::ptrdiff_t stride,
                                               int num_elements,
                                               const double* vectors,
                                               const double* weights,
                                               std::ptrdiff_t count,
                                               vec (&form)[U])
{
    vec re[K][U], im[K][U];
#pragma GCC unroll 8
    for (int k = 0; k < K; ++k)
#pragma GCC unroll 8
        for (int u = 0; u < U; ++u)
            re[k][u] = im[k][u] = vec{};
    for (int l = 0; l < num_elements; ++l) {
#pragma GCC unroll 8
        for (int u = 0; u < U; ++u) {
            const vec ar = load(real + l * stride + u * lanes, count - u * lanes);
            const vec ai = load(imag + l * stride + u * lanes, count - u * lanes);
#pragma GCC unroll 8
            for (int k = 0; k < K; ++k) {
                const double* const v = vectors + 2 * (l + k * num_elements);
                re[k][u] += v[0] * ar;
                im[k][u] += v[0] * ai;
                re[k][u] += v[1] * ai;
                im[k][u] -= v[1] * ar;
            }
        }
    }
#pragma GCC unroll 8
    for (int k = 0; k < K; ++k)
#pragma GCC unroll 8
        for (int u = 0; u < U; ++u)
            form[u] += weights[k] * (re[k][u] * re[k][u] + im[k][u] * im[k][u]);
}

template <int U>
BEARING_TARGET BEARING_INLINE void some_angles(const double* real,
                                               const double* imag,
                                               std::ptrdiff_t stride,
                                               int num_elements,
                                               const double* vectors,
                                               const double* weights,
                                               int num_vectors,
                                               const double* scale,
                                               double offset,
                                               double* out,
                                               std::ptrdiff_t count)
{
    vec form[U];
#pragma GCC unroll 8
    for (int u = 0; u < U; ++u)
        form[u] = vec{};
    int k = 0;
    for (; k + 1 < num_vectors; k += 2)
        add_squares<2, U>(real,
                          imag,
                          stride,
                          num_elements,
                          vectors + 2 * k * num_elements,
                          weights + k,
                          count,
                          form);
    if (k < num_vectors)
        add_squares<1, U>(real,
                          imag,
                          stride,
                          num_elements,
                          vectors + 2 * k * num_elements,
                          weights + k,
                          count,
                          form);
#pragma GCC unroll 8
    for (int u = 0; u < U; ++u)
        finish(form[u],
               scale ? scale + u * lanes : nullptr,
               offset,
               out + u * lanes,
               count - u * lanes);
}

BEARING_TARGET static void quadratic_form(const double* real,
                                          const double* imag,
                                          std::ptrdiff_t stride,
                                          std::ptrdiff_t size,
                                          int num_elements,
                                          const double* vectors,
                                          const double* weights,
                                          int num_vectors,
                                          const double* scale,
                                          double offset,
                                          double* out)
{
    std::ptrdiff_t g = 0;
    for (; g + at_once * lanes <= size; g += at_once * lanes)
        some_angles<at_once>(real + g,
                             imag + g,
                             stride,
                             num_elements,
                             vectors,
                             weights,
                             num_vectors,
                             scale ? scale + g : nullptr,
                             offset,
                             out + g,
                             at_once * lanes);
    for (; g < size; g += lanes)
        some_angles<1>(real + g,
                       imag + g,
                       stride,
                       num_elements,
                       vectors,
                       weights,
                       num_vectors,
                       scale ? scale + g : nullptr,
                       offset,
                       out + g,
                       size - g);
}

template <int U>
BEARING_TARGET BEARING_INLINE void some_of_line(const double* cosine,
                                                const double* sine,
                                                const double* coefficients,
                                                int degree,
                                                const double* scale,
                                                double offset,
                                                double* out,
                                                std::ptrdiff_t count)
{
    vec zr[U], zi[U], re[U], im[U];
#pragma GCC unroll 8
    for (int u = 0; u < U; ++u) {
        zr[u] = load(cosine + u * lanes, count - u * lanes);
        zi[u] = load(sine + u * lanes, count - u * lanes);
        re[u] = vec{} + coefficients[2 * degree];
        im[u] = vec{} + coefficients[2 * degree + 1];
    }
    for (int m = degree - 1; m > 0; --m) {
        const double cr = coefficients[2 * m];
        const double ci = coefficients[2 * m + 1];
#pragma GCC unroll 8
        for (int u = 0; u < U; ++u) {
            const vec before = re[u];
            re[u] = (cr + before * zr[u]) - im[u] * zi[u];
            im[u] = (ci + before * zi[u]) + im[u] * zr[u];
        }
    }
#pragma GCC unroll 8
    for (int u = 0; u < U; ++u) {
        const vec sum = re[u] * zr[u] - im[u] * zi[u];
        finish(coefficients[0] + 2.0 * sum,
               scale ? scale + u * lanes : nullptr,
               offset,
               out + u * lanes,
               count - u * lanes);
    }
}

BEARING_TARGET static void line_form(const double* cosine,
                                     const double* sine,
                                     std::ptrdiff_t size,
                                     const double* coefficients,
                                     int degree,
                                     const double* scale,
                                     double offset,
                                     double* out)
{
    std::ptrdiff_t g = 0;
    for (; g + at_once * lanes <= size; g += at_once * lanes)
        some_of_line<at_once>(cosine + g,
                              sine + g,
                              coefficients,
                              degree,
                              scale ? scale + g : nullptr,
                              offset,
                              out + g,
                              at_once * lanes);
    for (; g < size; g += lanes)
        some_of_line<1>(cosine + g,
                        sine + g,
                        coefficients,
                        degree,
                        scale ? scale + g : nullptr,
                        offset,
                        out + g,
                        size - g);
}

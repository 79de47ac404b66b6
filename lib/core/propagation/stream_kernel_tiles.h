/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/*
 * The body of one variant of stream_kernel. stream_kernel.cc includes this file once per
 * variant, inside a namespace of its own, with these macros defined:
 *   BEARING_TARGET           function attribute that selects the instruction set
 *   BEARING_VECTOR_BYTES     width of a vector
 *   BEARING_REAL_PARTS       shuffles that double the real parts of a vector's bins,
 *   BEARING_IMAGINARY_PARTS  double their imaginary parts,
 *   BEARING_SWAPPED          and swap the two
 * (no include guard, therefore). It is text and not a template over the vector type
 * because GCC lowers vector operations for the target of the function that they are
 * written in, before it inlines: every function here needs the attribute itself.
 */

typedef float vec __attribute__((vector_size(BEARING_VECTOR_BYTES), may_alias));
typedef float unaligned_vec
    __attribute__((vector_size(BEARING_VECTOR_BYTES), aligned(4), may_alias));
typedef int vec_index __attribute__((vector_size(BEARING_VECTOR_BYTES)));

static constexpr std::ptrdiff_t lanes = BEARING_VECTOR_BYTES / sizeof(float);

BEARING_TARGET BEARING_INLINE vec load(const float* p)
{
    return *reinterpret_cast<const vec*>(p);
}

BEARING_TARGET BEARING_INLINE vec load_anywhere(const float* p)
{
    return *reinterpret_cast<const unaligned_vec*>(p);
}

BEARING_TARGET BEARING_INLINE void store(float* p, vec x)
{
    *reinterpret_cast<vec*>(p) = x;
}

BEARING_TARGET BEARING_INLINE vec real_parts(vec x)
{
    return BEARING_SHUFFLE(x, BEARING_REAL_PARTS);
}

BEARING_TARGET BEARING_INLINE vec imaginary_parts(vec x)
{
    return BEARING_SHUFFLE(x, BEARING_IMAGINARY_PARTS);
}

/* (re, im) of each bin times j: (-im, re). */
BEARING_TARGET BEARING_INLINE vec times_j(vec x)
{
    vec sign;
    for (std::ptrdiff_t k = 0; k < lanes; ++k)
        sign[k] = k % 2 ? 1.0f : -1.0f;
    return sign * BEARING_SHUFFLE(x, BEARING_SWAPPED);
}

BEARING_TARGET static void match(const channel_weights* weights,
                                 channel_bins data,
                                 channel_bins response,
                                 std::ptrdiff_t count,
                                 float* b)
{
    for (std::ptrdiff_t k = 0; k < count; k += 2 * lanes) {
        /* d conj(P) = d Re P - j d Im P: the factor j waits until all are summed. */
        vec by_re0{}, by_im0{}, by_re1{}, by_im1{};
        for (int i = 0; i < weights->num_channels; ++i) {
            const float w = weights->weight[i];
            const float* const d = data.data + weights->channel[i] * data.distance + k;
            const float* const p =
                response.data + weights->channel[i] * response.distance + k;
            const vec d0 = load(d) * w, d1 = load(d + lanes) * w;
            const vec p0 = load(p), p1 = load(p + lanes);
            by_re0 += d0 * real_parts(p0);
            by_im0 += d0 * imaginary_parts(p0);
            by_re1 += d1 * real_parts(p1);
            by_im1 += d1 * imaginary_parts(p1);
        }
        store(b + k, by_re0 - times_j(by_im0));
        store(b + k + lanes, by_re1 - times_j(by_im1));
    }
}

/* r = d - sum P z for bins from begin to end, in floats. */
BEARING_TARGET BEARING_INLINE void subtract(const float* d,
                                            const float* p,
                                            std::ptrdiff_t p_distance,
                                            const float* z,
                                            std::ptrdiff_t z_distance,
                                            int num_sources,
                                            std::ptrdiff_t begin,
                                            std::ptrdiff_t end,
                                            float* r)
{
    for (std::ptrdiff_t k = begin; k < end; k += lanes) {
        vec left = load(d + k);
        for (int m = 0; m < num_sources; ++m) {
            const vec x = load(z + m * z_distance + k);
            const vec response = load(p + m * p_distance + k);
            left -= x * real_parts(response);
            left -= times_j(x) * imaginary_parts(response);
        }
        store(r + k - begin, left);
    }
}

/* One channel's windowed powers from a tile of residuals; returns them summed by share. */
BEARING_TARGET BEARING_INLINE float add_power(
    const float* r, std::ptrdiff_t count, float weight, const float* share, float* total)
{
    vec by_share{};
    for (std::ptrdiff_t k = 0; k < count; k += lanes) {
        const vec near = load_anywhere(r + k - 2) + load_anywhere(r + k + 2);
        const vec far = load_anywhere(r + k - 4) + load_anywhere(r + k + 4);
        const vec x = 0.375f * load(r + k) - 0.25f * near + 0.0625f * far;
        const vec power = x * x;
        store(total + k, load(total + k) + weight * power);
        if (share)
            by_share += load(share + k) * power;
    }
    float sum = 0.0f;
    for (std::ptrdiff_t k = 0; k < lanes; ++k)
        sum += by_share[k];
    return sum;
}

BEARING_TARGET static void residual(const channel_weights* weights,
                                    channel_bins data,
                                    channel_bins response,
                                    std::ptrdiff_t response_distance,
                                    const float* z,
                                    std::ptrdiff_t z_distance,
                                    int num_sources,
                                    std::ptrdiff_t count,
                                    const float* share,
                                    float* total,
                                    double* power)
{
    alignas(64) float r[tile + 2 * margin];
    for (std::ptrdiff_t begin = 0; begin < count; begin += tile) {
        const std::ptrdiff_t end = begin + tile < count ? begin + tile : count;
        const std::ptrdiff_t from = begin > 0 ? begin - margin : begin;
        const std::ptrdiff_t to = end < count ? end + margin : end;
        for (std::ptrdiff_t k = 0; k < margin; ++k) {
            r[k] = 0.0f;
            r[margin + end - begin + k] = 0.0f;
        }
        for (int i = 0; i < weights->num_channels; ++i) {
            const std::ptrdiff_t channel = weights->channel[i];
            subtract(data.data + channel * data.distance,
                     response.data + channel * response.distance,
                     response_distance,
                     z,
                     z_distance,
                     num_sources,
                     from,
                     to,
                     r + margin - (begin - from));
            const float sum = add_power(r + margin,
                                        end - begin,
                                        weights->weight[i],
                                        share ? share + begin : nullptr,
                                        total + begin);
            if (share)
                power[i] += sum;
        }
    }
}

BEARING_TARGET static void respond(const float* response,
                                   std::ptrdiff_t response_distance,
                                   const float* s,
                                   std::ptrdiff_t s_distance,
                                   int num_sources,
                                   std::ptrdiff_t count,
                                   float* x)
{
    for (std::ptrdiff_t k = 0; k < count; k += lanes) {
        vec sum{};
        for (int m = 0; m < num_sources; ++m) {
            const vec p = load(response + m * response_distance + k);
            const vec q = load(s + m * s_distance + k);
            sum += q * real_parts(p);
            sum += times_j(q) * imaginary_parts(p);
        }
        store(x + k, sum);
    }
}

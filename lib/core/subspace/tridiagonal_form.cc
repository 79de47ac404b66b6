/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "tridiagonal_form.h"
#include <algorithm>
#include <cmath>

namespace gr {
namespace bearing {
namespace core {

tridiagonal_form::tridiagonal_form(const Eigen::Ref<const Eigen::MatrixXcd>& matrix)
    : d_size(static_cast<int>(matrix.rows()))
{
    for (int column = 0; column < d_size; ++column) {
        for (int row = column; row < d_size; ++row) {
            const std::complex<double> value = matrix(row, column);
            d_real[column][row] = value.real();
            d_imag[column][row] = value.imag();
        }
        d_imag[column][column] = 0.0;
    }
    reduce();
    collect();
}

void tridiagonal_form::reduce()
{
    const int n = d_size;
    for (int k = 0; k + 1 < n; ++k) {
        // The column below the diagonal becomes (beta, 0, ..), beta real.
        double* const vr = d_real[k];
        double* const vi = d_imag[k];
        const double ar = vr[k + 1];
        const double ai = vi[k + 1];
        double below = 0.0;
        for (int i = k + 2; i < n; ++i) {
            below += vr[i] * vr[i] + vi[i] * vi[i];
        }
        d_diagonal[k] = d_real[k][k];
        if (below + ai * ai == 0.0) {
            d_off_diagonal[k] = ar;
            d_tau_real[k] = d_tau_imag[k] = 0.0;
            continue;
        }
        const double beta = -std::copysign(std::sqrt(ar * ar + ai * ai + below), ar);
        d_off_diagonal[k] = beta;
        const double tr = (beta - ar) / beta;
        const double ti = -ai / beta;
        d_tau_real[k] = tr;
        d_tau_imag[k] = ti;
        // v = x / (alpha - beta), its first entry 1.
        const double dr = ar - beta;
        const double inverse = 1.0 / (dr * dr + ai * ai);
        const double sr = dr * inverse;
        const double si = -ai * inverse;
        vr[k + 1] = 1.0;
        vi[k + 1] = 0.0;
        for (int i = k + 2; i < n; ++i) {
            const double re = vr[i];
            vr[i] = re * sr - vi[i] * si;
            vi[i] = re * si + vi[i] * sr;
        }

        // With w = tau A v + c v, c = -tau (tau A v)^H v / 2, the rest of the matrix
        // becomes A - v w^H - w v^H.
        double wr[max_size];
        double wi[max_size];
        std::fill_n(wr, n, 0.0);
        std::fill_n(wi, n, 0.0);
        for (int j = k + 1; j < n; ++j) {
            const double* const mr = d_real[j];
            const double* const mi = d_imag[j];
            double sum_real = mr[j] * vr[j];
            double sum_imag = mr[j] * vi[j];
            for (int i = j + 1; i < n; ++i) {
                wr[i] += mr[i] * vr[j] - mi[i] * vi[j];
                wi[i] += mr[i] * vi[j] + mi[i] * vr[j];
                sum_real += mr[i] * vr[i] + mi[i] * vi[i];
                sum_imag += mr[i] * vi[i] - mi[i] * vr[i];
            }
            wr[j] += sum_real;
            wi[j] += sum_imag;
        }
        double pr = 0.0; // (tau A v)^H v
        double pi = 0.0;
        for (int i = k + 1; i < n; ++i) {
            const double re = wr[i];
            wr[i] = re * tr - wi[i] * ti;
            wi[i] = re * ti + wi[i] * tr;
            pr += wr[i] * vr[i] + wi[i] * vi[i];
            pi += wr[i] * vi[i] - wi[i] * vr[i];
        }
        const double c = -0.5 * (tr * pr - ti * pi); // real: |tau|^2 v^H A v
        for (int i = k + 1; i < n; ++i) {
            wr[i] += c * vr[i];
            wi[i] += c * vi[i];
        }
        for (int j = k + 1; j < n; ++j) {
            double* const mr = d_real[j];
            double* const mi = d_imag[j];
            mr[j] -= 2.0 * (vr[j] * wr[j] + vi[j] * wi[j]);
            for (int i = j + 1; i < n; ++i) {
                mr[i] -= vr[i] * wr[j] + vi[i] * wi[j] + wr[i] * vr[j] + wi[i] * vi[j];
                mi[i] -= vi[i] * wr[j] - vr[i] * wi[j] + wi[i] * vr[j] - wr[i] * vi[j];
            }
        }
    }
    d_diagonal[n - 1] = d_real[n - 1][n - 1];
}

// Q = H_0 H_1 .., from the last on, each in the place of its own vector.
void tridiagonal_form::collect()
{
    const int n = d_size;
    d_real[n - 1][n - 1] = 1.0;
    d_imag[n - 1][n - 1] = 0.0;
    for (int k = n - 2; k >= 0; --k) {
        const double tr = d_tau_real[k];
        const double ti = d_tau_imag[k];
        double vr[max_size];
        double vi[max_size];
        for (int i = k + 1; i < n; ++i) {
            vr[i] = d_real[k][i];
            vi[i] = d_imag[k][i];
        }
        const bool is_reflection = tr != 0.0 || ti != 0.0;
        for (int j = k + 1; j < n && is_reflection; ++j) {
            double* const qr = d_real[j];
            double* const qi = d_imag[j];
            double pr = 0.0; // v^H q
            double pi = 0.0;
            for (int i = k + 1; i < n; ++i) {
                pr += vr[i] * qr[i] + vi[i] * qi[i];
                pi += vr[i] * qi[i] - vi[i] * qr[i];
            }
            const double sr = tr * pr - ti * pi;
            const double si = tr * pi + ti * pr;
            for (int i = k + 1; i < n; ++i) {
                qr[i] -= vr[i] * sr - vi[i] * si;
                qi[i] -= vr[i] * si + vi[i] * sr;
            }
        }
        // From here on, row and column k are those of the identity; before, they hold the
        // vectors of earlier reflections.
        for (int i = k + 1; i < n; ++i) {
            d_real[k][i] = d_imag[k][i] = 0.0;
            d_real[i][k] = d_imag[i][k] = 0.0;
        }
        d_real[k][k] = 1.0;
        d_imag[k][k] = 0.0;
    }
}

void tridiagonal_form::apply_reversed(const Eigen::MatrixXd& z,
                                      Eigen::MatrixXcd& result) const
{
    const int n = d_size;
    result.resize(n, n);
    for (int column = 0; column < n; ++column) {
        double re[max_size];
        double im[max_size];
        std::fill_n(re, n, 0.0);
        std::fill_n(im, n, 0.0);
        for (int k = 0; k < n; ++k) {
            const double share = z(k, n - 1 - column);
            for (int i = 0; i < n; ++i) {
                re[i] += share * d_real[k][i];
                im[i] += share * d_imag[k][i];
            }
        }
        for (int i = 0; i < n; ++i) {
            result(i, column) = { re[i], im[i] };
        }
    }
}

} // namespace core
} // namespace bearing
} // namespace gr

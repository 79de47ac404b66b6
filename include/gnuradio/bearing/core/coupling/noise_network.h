/* -*- c++ -*- */
/*
 * Copyright 2026 the gr-bearing authors
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

#ifndef INCLUDED_GNURADIO_BEARING_CORE_COUPLING_NOISE_NETWORK_H
#define INCLUDED_GNURADIO_BEARING_CORE_COUPLING_NOISE_NETWORK_H

#include <gnuradio/bearing/api.h>
#include <gnuradio/bearing/core/coupling/tensor_file.h>
#include <Eigen/Dense>
#include <vector>

namespace gr {
namespace bearing {
namespace core {

/*!
 * \brief A network that finds the noise in x_t: eps_theta(x, t), the score times
 * -sqrt(1 - abar_t).
 *
 * Input [x ; sin a ; cos a] with a_i = f_i log(abar / (1 - abar)) / 2 and eight f_i spaced
 * evenly in the logarithm from 0.05 to 2; hidden layers with SiLU, x / (1 + exp(-x)); the
 * last layer is linear. Weights and arithmetic are single precision.
 *
 * Safe to share between threads.
 */
class BEARING_API noise_network
{
public:
    //! From tensors `layer0.weight` (outputs x inputs, last index fastest), `layer0.bias`,
    //! `layer1.weight`, .. \throws std::runtime_error naming the file and the tensor
    //! \param dimension of x
    noise_network(const tensor_file& file, int dimension);

    int dimension() const { return d_dimension; }
    //! eps for each column of \p x (dimension x columns); 0 < \p alpha_bar < 1.
    //! \throws std::invalid_argument for others, and for another dimension
    Eigen::MatrixXd operator()(const Eigen::Ref<const Eigen::MatrixXd>& x,
                               double alpha_bar) const;

private:
    struct layer {
        Eigen::MatrixXf weight;
        Eigen::VectorXf bias;
    };
    int d_dimension;
    std::vector<layer> d_layers;
};

} // namespace core
} // namespace bearing
} // namespace gr

#endif /* INCLUDED_GNURADIO_BEARING_CORE_COUPLING_NOISE_NETWORK_H */

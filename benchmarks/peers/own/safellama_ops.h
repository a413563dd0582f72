/* Kernels of your own beside SafeLlama's: `benchmarks -- ops --against ./libmine.so tiny`.
 *
 * All arrays are fp32, row-major, without gaps, on one core. A function that you have not written is NULL; it is left
 * out and told. Inputs must not be changed. Outputs hold garbage before the call. */
#ifndef SAFELLAMA_OPS_H
#define SAFELLAMA_OPS_H

typedef struct safellama_ops_v1 {
    /* y [rows, outputs] = x [rows, inputs] · wᵀ, w [outputs, inputs] */
    void (*linear_forward)(const float *x, const float *w, float *y, int rows, int outputs, int inputs);

    /* dx [rows, inputs] = dy [rows, outputs] · w [outputs, inputs] */
    void (*linear_backward_input)(const float *dy, const float *w, float *dx, int rows, int outputs, int inputs);

    /* y [rows, dim] = x / sqrt(mean(x²) + eps) · weight [dim], row by row */
    void (*rms_norm_forward)(const float *x, const float *weight, float eps, float *y, int rows, int dim);

    /* y [rows, dim] = gate / (1 + exp(-gate)) · up */
    void (*swiglu_forward)(const float *gate, const float *up, float *y, int rows, int dim);
} safellama_ops_v1;

/* The one symbol that is looked up. The table must stay valid until the library is unloaded. */
const safellama_ops_v1 *safellama_ops(void);

#endif

/* The plainest table: cc -O3 -march=native -shared -fPIC example.c -o libexample.so -lm */
#include <math.h>
#include <stddef.h>
#include "safellama_ops.h"

static void linear_forward(const float *x, const float *w, float *y, int rows, int outputs, int inputs) {
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < outputs; o++) {
            float sum = 0;
            for (int i = 0; i < inputs; i++) sum += x[(size_t)r * inputs + i] * w[(size_t)o * inputs + i];
            y[(size_t)r * outputs + o] = sum;
        }
}

static void swiglu_forward(const float *gate, const float *up, float *y, int rows, int dim) {
    for (size_t i = 0; i < (size_t)rows * dim; i++) y[i] = gate[i] / (1 + expf(-gate[i])) * up[i];
}

static const safellama_ops_v1 table = { .linear_forward = linear_forward, .swiglu_forward = swiglu_forward };

const safellama_ops_v1 *safellama_ops(void) { return &table; }

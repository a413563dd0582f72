namespace SafeLlama.Kernels;

/// <summary>
/// Where dx is the gradient of silu(gate) · up and has no other reader: what it becomes, <see cref="SwiGlu"/>'s
/// backward.
/// </summary>
/// <param name="Gate">[N, D_in] from forward.</param>
/// <param name="Up">[N, D_in] from forward.</param>
/// <param name="DGate">[N, D_in], overwritten.</param>
/// <param name="DUp">[N, D_in], overwritten.</param>
/// <remarks>
/// Both gradients may lie over dx: <paramref name="DUp"/> may be dx itself, and in a type of half its size the two may
/// share its rows.
/// </remarks>
public readonly record struct GatedProduct(Tensor Gate, Tensor Up, Tensor DGate, Tensor DUp);

namespace SafeLlama.Kernels;

/// <summary>
/// A stored matrix as cuBLAS sees it, who counts columns first: what lies row-major is its transpose there.
/// </summary>
/// <param name="Rows">The elements that lie side by side.</param>
/// <param name="Columns">How many such runs there are.</param>
/// <param name="Leading">Elements from one to the next.</param>
internal readonly record struct CublasLayout(long Rows, long Columns, long Leading)
{
    public static CublasLayout Of(Tensor tensor) => new(tensor.Columns, tensor.Rows, tensor.RowStride);
}

/// <summary>A product in cuBLAS's order: cᵀ [N, M] = op(b) op(a), so b comes first.</summary>
/// <param name="First">b as stored.</param>
/// <param name="TurnFirst">1 where b must be transposed to be [N, K] there.</param>
/// <param name="Second">a as stored.</param>
/// <param name="TurnSecond">1 where a must be transposed to be [K, M] there.</param>
/// <param name="Result">c as stored.</param>
internal readonly record struct CublasProduct(
    CublasLayout First, int TurnFirst, CublasLayout Second, int TurnSecond, CublasLayout Result, DType Operands,
    DType Results)
{
    public static CublasProduct Of(Tensor a, Tensor b, Tensor c, ProductForm form) => new(
        CublasLayout.Of(b), 1 - form.TransposeB, CublasLayout.Of(a), form.TransposeA, CublasLayout.Of(c), a.Type,
        c.Type);
}

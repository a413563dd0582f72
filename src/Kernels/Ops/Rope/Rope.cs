namespace SafeLlama.Kernels;

/// <summary>
/// Rotary position embedding: each pair of a head's features is rotated by an angle that grows with position.
/// </summary>
/// <remarks>
/// <code>
/// forward    (a, b) = (x[n, h·d + i], x[n, h·d + i + d/2]),  θ = position[n] · frequency[i],  i &lt; d/2
///            x[n, h·d + i]        = a · cos θ − b · sin θ
///            x[n, h·d + i + d/2]  = b · cos θ + a · sin θ
/// backward   the same, rotated by −θ
/// </code>
/// Su et al. 2021, arXiv:2104.09864, in the half-split pairing of Hugging Face checkpoints. In place: rotating loses
/// nothing.
/// </remarks>
public abstract class Rope : Op
{
    /// <param name="x">[N, heads · d], rotated in place.</param>
    /// <param name="positions">[N] Int32, each row's place in its sequence, within the table.</param>
    /// <param name="cos">[P, d/2] cosines by position.</param>
    /// <param name="sin">[P, d/2] sines by position.</param>
    public void Forward(Tensor x, Tensor positions, Tensor cos, Tensor sin)
    {
        Check(x, positions, cos, sin);
        Observer?.Started();
        RotateCore(x, positions, cos, sin, backward: false);
        Observer?.Finished(new("Rope forward", 0, Bytes(x, x)));
    }

    /// <param name="dx">[N, heads · d] gradient of the result, rotated back in place into that of the input.</param>
    /// <param name="positions">[N] Int32.</param>
    /// <param name="cos">[P, d/2].</param>
    /// <param name="sin">[P, d/2].</param>
    public void Backward(Tensor dx, Tensor positions, Tensor cos, Tensor sin)
    {
        Check(dx, positions, cos, sin);
        Observer?.Started();
        RotateCore(dx, positions, cos, sin, backward: true);
        Observer?.Finished(new("Rope backward", 0, Bytes(dx, dx)));
    }

    protected abstract void RotateCore(Tensor x, Tensor positions, Tensor cos, Tensor sin, bool backward);

    private static void Check(Tensor x, Tensor positions, Tensor cos, Tensor sin)
    {
        positions.RequireShape(new(x.Rows), "one position per row of x");
        positions.RequireType(DType.Int32, "positions are whole numbers");
        sin.RequireShape(cos.Shape, "one sine per cosine");
        if (cos.Columns == 0 || x.Columns % (2 * cos.Columns) != 0)
        {
            throw new ArgumentException(
                $"Rope: x ('{x.Name}') has {x.Columns} columns, expected a multiple of the head size "
                + $"{2 * cos.Columns}.");
        }
    }
}

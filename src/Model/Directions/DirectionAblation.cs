using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>Takes a direction out of the residual stream.</summary>
/// <remarks>
/// <code>x ← x − (x · u) u,  u = direction / |direction|</code>
/// At every place, so that nothing the blocks write has a part along u, or before one block alone. Arditi et al. 2024,
/// arXiv:2406.11717.
/// </remarks>
public sealed class DirectionAblation : IStreamHook
{
    private readonly double[] _unit;
    private readonly int? _layer;

    /// <param name="direction">[D], of any length but zero.</param>
    /// <param name="layer">The block before which it is taken out; null for everywhere.</param>
    public DirectionAblation(ReadOnlySpan<double> direction, int? layer = null) =>
        (_unit, _layer) = (UnitVector.Of(direction), layer);

    public void BeforeBlock(int layer, Tensor stream)
    {
        if (_layer is null || _layer == layer)
        {
            Remove(stream);
        }
    }

    public void AfterAttention(int layer, Tensor stream)
    {
        if (_layer is null)
        {
            Remove(stream);
        }
    }

    private void Remove(Tensor stream)
    {
        var values = stream.ReadDoubles();
        for (var row = 0; row < values.Length; row += _unit.Length)
        {
            UnitVector.Project(values.AsSpan(row, _unit.Length), _unit);
        }

        stream.Write(values);
    }
}

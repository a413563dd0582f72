using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>Adds a direction to the residual stream before one block, at every token.</summary>
/// <remarks><code>x ← x + scale · direction</code></remarks>
/// <param name="direction">[D].</param>
/// <param name="at">The block; the number of blocks for the stream after the last one.</param>
/// <param name="scale">1 adds the difference of means once; below 0 it is subtracted.</param>
public sealed class DirectionAddition(double[] direction, int at, double scale = 1) : IStreamHook
{
    public void BeforeBlock(int layer, Tensor stream)
    {
        if (layer != at)
        {
            return;
        }

        var values = stream.ReadDoubles();
        for (var i = 0; i < values.Length; i++)
        {
            values[i] += scale * direction[i % direction.Length];
        }

        stream.Write(values);
    }
}

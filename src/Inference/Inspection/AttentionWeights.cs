using SafeLlama.Model;

namespace SafeLlama.Inference;

/// <summary>Recomputes the attention weights of a layer, which the engine does not keep.</summary>
/// <remarks><code>p[i, j] = exp(q_i · k_j / √d − logSum_i),  j ≤ i</code> with q, k and logSum as forward left
/// them.</remarks>
internal static class AttentionWeights
{
    /// <param name="kept">What forward just left of the layer.</param>
    /// <param name="length">T.</param>
    /// <returns>[H][T][T].</returns>
    public static double[][][] Of(LlamaConfig config, AttentionActivations kept, int length)
    {
        var (q, k, sum) = (kept.Query.ReadDoubles(), kept.Key.ReadDoubles(), kept.LogSum.ReadDoubles());
        return [.. Enumerable.Range(0, config.Heads).Select(head => Head(config, length, head, q, k, sum))];
    }

    private static double[][] Head(LlamaConfig config, int length, int head, double[] q, double[] k, double[] sum)
    {
        var (heads, shared, size) = (config.Heads, config.KeyValueHeads, config.HeadDim);
        var keyHead = head / (heads / shared);
        var weights = new double[length][];
        for (var i = 0; i < length; i++)
        {
            weights[i] = new double[length];
            for (var j = 0; j <= i; j++)
            {
                var dot = 0.0;
                for (var c = 0; c < size; c++)
                {
                    dot += q[(i * heads + head) * size + c] * k[(j * shared + keyHead) * size + c];
                }

                weights[i][j] = Math.Exp(dot / Math.Sqrt(size) - sum[i * heads + head]);
            }
        }

        return weights;
    }
}

using SafeLlama.Model;

namespace SafeLlama.Study;

/// <summary>Recomputes the attention weights of a forward pass, which the engine does not keep.</summary>
/// <remarks><code>p[i, j] = exp(q_i · k_j / √d − logSum_i),  j ≤ i</code> with q, k and logSum as forward left
/// them.</remarks>
internal static class AttentionProbe
{
    /// <summary>[layers][heads][T][T]; row i holds i + 1 weights that sum to one, then zeros.</summary>
    public static double[][][][] Weights(Llama model, int[] ids)
    {
        var (config, length) = (model.Config, ids.Length);
        using var workspace = new Workspace(model, length, forBackward: true);
        var pass = workspace.For(length);
        pass.Batch.Upload(ids, [.. Enumerable.Range(0, length)], new int[length], [.. Enumerable.Repeat(-1, length)]);
        model.Forward(pass);
        return [.. Enumerable.Range(0, config.Layers).Select(layer =>
        {
            var kept = pass.Activations.Block(layer).Attention;
            var (q, k, sum) = (kept.Query.ReadDoubles(), kept.Key.ReadDoubles(), kept.LogSum.ReadDoubles());
            return Enumerable.Range(0, config.Heads).Select(head => Head(config, length, head, q, k, sum)).ToArray();
        })];
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

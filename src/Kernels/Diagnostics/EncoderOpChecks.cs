namespace SafeLlama.Kernels;

/// <summary>The checks of <see cref="OpChecks"/> for the ops of an encoder.</summary>
internal static class EncoderOpChecks
{
    public static readonly (string Name, Func<ProbeTensors, Tensor[]> Run)[] All =
    [
        ("LayerNorm, ragged", p => LayerNorm(p, 123)),
        ("LayerNorm, whole vectors", p => LayerNorm(p, 136)),
        ("Gelu, ragged", p => Gelu(p, 123)),
        ("Gelu, whole vectors", p => Gelu(p, 136)),
        ("DisentangledAttention", DisentangledAttention),
    ];

    private static Tensor[] LayerNorm(ProbeTensors p, int dim)
    {
        var (x, weight, bias) = (p.Take("x", new(5, dim)), p.Wide("weight", new(dim)), p.Wide("bias", new(dim)));
        var (y, mean, rstd) = (p.Take("y", x.Shape), p.Wide("mean", new(5)), p.Wide("rstd", new(5)));
        var (dx, dweight, dbias) = (
            p.Take("dx", x.Shape), p.Wide("dweight", weight.Shape), p.Wide("dbias", weight.Shape));
        p.Backend.LayerNorm.Forward(x, weight, bias, 1e-7, y, mean, rstd);
        p.Backend.LayerNorm.Backward(p.Take("dy", x.Shape), x, weight, mean, rstd, dx, dweight, dbias);
        return [y, mean, rstd, dx, dweight, dbias];
    }

    private static Tensor[] Gelu(ProbeTensors p, int columns)
    {
        Tensor Of(string name) => p.Take(name, new(5, columns));
        var (x, y, dx) = (Of("x"), Of("y"), Of("dx"));
        p.Backend.Gelu.Forward(x, y);
        p.Backend.Gelu.Backward(Of("dy"), x, dx);
        return [y, dx];
    }

    /// <summary>Two sequences, five distances of which the outer ones span several rows.</summary>
    private static Tensor[] DisentangledAttention(ProbeTensors p)
    {
        const int Rows = 11, Heads = 2, HeadDim = 6, First = 4, Distances = 5;
        Tensor Of(string name) => p.Take(name, new(Rows, Heads * HeadDim));
        Tensor Distance(string name) => p.Take(name, new(Distances, Heads * HeadDim));
        var bucket = p.Ints("bucket", Enumerable.Range(1 - Rows, (2 * Rows) - 1).Select(r => 2 + Math.Clamp(r, -2, 2)));
        var input = new DisentangledInput(
            Of("q"), Of("k"), Of("v"), new(Distance("kr"), Distance("qr"), bucket),
            p.Ints("first", Enumerable.Range(0, Rows).Select(n => n < First ? 0 : First)),
            p.Ints("last", Enumerable.Range(0, Rows).Select(n => n < First ? First - 1 : Rows - 1)));
        var (y, logSum) = (Of("y"), p.Wide("logSum", new(Rows, Heads)));
        var into = new DisentangledGradients(
            Of("dq"), Of("dk"), Of("dv"), Distance("dkr"), Distance("dqr"), p.Wide("delta", logSum.Shape));
        var scale = 1 / Math.Sqrt(3 * HeadDim);
        p.Backend.DisentangledAttention.Forward(input, HeadDim, scale, y, logSum);
        p.Backend.DisentangledAttention.Backward(Of("dy"), input, HeadDim, scale, logSum, into);
        return [y, logSum, into.Query, into.Key, into.Value, into.RelativeKey, into.RelativeQuery];
    }
}

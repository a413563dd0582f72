namespace SafeLlama.Kernels;

/// <summary>The ops of an encoder, for <see cref="OpChecks"/>.</summary>
internal static class EncoderOpChecks
{
    public static (string Name, Func<ProbeTensors, Tensor[]> Run)[] All { get; } =
    [
        ("LayerNorm, ragged", p => LayerNorm(p, 123)),
        ("LayerNorm, whole vectors", p => LayerNorm(p, 136)),
        ("Gelu, ragged", p => Gelu(p, 123)),
        ("Gelu, whole vectors", p => Gelu(p, 136)),
        ("DisentangledAttention", p => DisentangledAttention(p)),
    ];

    private static Tensor[] LayerNorm(ProbeTensors p, int dim)
    {
        var (x, weight, bias) = (p.Take("x", new(5, dim)), p.Wide("weight", new(dim)), p.Wide("bias", new(dim)));
        var (y, mean, rstd) = (p.Take("y", new(5, dim)), p.Wide("mean", new(5)), p.Wide("rstd", new(5)));
        var (dx, dweight, dbias) = (
            p.Take("dx", x.Shape), p.Wide("dweight", weight.Shape), p.Wide("dbias", bias.Shape));
        p.Backend.LayerNorm.Forward(x, weight, bias, 1e-7, y, mean, rstd);
        p.Backend.LayerNorm.Backward(p.Take("dy", x.Shape), x, weight, mean, rstd, dx, dweight, dbias);
        return [y, mean, rstd, dx, dweight, dbias];
    }

    private static Tensor[] Gelu(ProbeTensors p, int dim)
    {
        var (x, y, dx) = (p.Take("x", new(5, dim)), p.Take("y", new(5, dim)), p.Take("dx", new(5, dim)));
        p.Backend.Gelu.Forward(x, y);
        p.Backend.Gelu.Backward(p.Take("dy", x.Shape), x, dx);
        return [y, dx];
    }

    /// <summary>Two sequences, of 4 rows and of 9, over six distances; two heads of 12.</summary>
    private static Tensor[] DisentangledAttention(ProbeTensors p)
    {
        const int Rows = 13, HeadDim = 12, Columns = 2 * HeadDim, Distances = 6, Reach = 9;
        Tensor Take(string name, int rows) => p.Take(name, new(rows, Columns));
        var bucket = Enumerable.Range(1 - Reach, (2 * Reach) - 1).Select(r => Math.Clamp(r, -3, 2) + 3).ToArray();
        var input = new DisentangledInput(
            Take("q", Rows), Take("k", Rows), Take("v", Rows),
            new(Take("kr", Distances), Take("qr", Distances), p.Ints("bucket", bucket)),
            p.Ints("first", [0, 0, 0, 0, 4, 4, 4, 4, 4, 4, 4, 4, 4]),
            p.Ints("last", [3, 3, 3, 3, 12, 12, 12, 12, 12, 12, 12, 12, 12]));
        var (y, logSum) = (Take("y", Rows), p.Wide("logSum", new(Rows, 2)));
        p.Backend.DisentangledAttention.Forward(input, HeadDim, 1 / Math.Sqrt(3 * HeadDim), y, logSum);
        var into = new DisentangledGradients(
            Take("dq", Rows), Take("dk", Rows), Take("dv", Rows), Take("dkr", Distances), Take("dqr", Distances),
            p.Wide("delta", new(Rows, 2)));
        p.Backend.DisentangledAttention.Backward(
            Take("dy", Rows), input, HeadDim, 1 / Math.Sqrt(3 * HeadDim), logSum, into);
        return [y, logSum, into.Query, into.Key, into.Value, into.RelativeKey, into.RelativeQuery];
    }
}

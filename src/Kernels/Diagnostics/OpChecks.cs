using SafeLlama.Common;

namespace SafeLlama.Kernels;

/// <summary>Every op of a backend, forward and backward, against the fp64 reference.</summary>
/// <remarks>
/// Sizes fill no vector, group or tile evenly; products also come in rows of whole 16-byte chunks, as tensor cores
/// want.
/// </remarks>
public static class OpChecks
{
    private static readonly (string Name, Func<ProbeTensors, Tensor[]> Run)[] Ops =
    [
        ("RmsNorm, ragged", p => RmsNorm(p, 123)),
        ("RmsNorm, whole vectors", p => RmsNorm(p, 136)),
        ("Linear, ragged", p => Linear(p, 9, 37, 19, null)),
        ("Linear, bf16 weight", p => Linear(p, 19, 72, 40, DType.BFloat16)),
        ("Linear, fp16 weight", p => Linear(p, 7, 24, 10, DType.Float16)),
        ("Linear with LoRA, a pass of its own", p => Lora(p, 4, dropped: true, fused: false)),
        ("Linear with LoRA, rank 8", p => Lora(p, 8, dropped: false, fused: true)),
        ("Linear with LoRA, rank 24", p => Lora(p, 24, dropped: false, fused: true)),
        ("Linear with LoRA, rank 4", p => Lora(p, 4, dropped: false, fused: true)),
        ("Linear with LoRA, dropped", p => Lora(p, 8, dropped: true, fused: true)),
        ("Linear with LoRA, rank 20, dropped", p => Lora(p, 20, dropped: true, fused: true)),
        ("Dora, ragged", p => Dora(p, 37, 21)),
        ("Dora, whole vectors", p => Dora(p, 72, 40)),
        ("Rope, ragged", p => Rope(p, 3)),
        ("Rope, whole vectors", p => Rope(p, 8)),
        ("Attention", Attention),
        ("Attention over a cache, ragged", p => AttentionOverCache(p, heads: 9, headDim: 20)),
        ("Attention over a cache, whole vectors", p => AttentionOverCache(p, heads: 3, headDim: 24)),
        ("SwiGlu, ragged", p => SwiGlu(p, 123)),
        ("SwiGlu, whole vectors", p => SwiGlu(p, 136)),
        ("CrossEntropy, ragged", p => CrossEntropy(p, 301)),
        ("CrossEntropy, whole vectors", p => CrossEntropy(p, 304)),
        ("Embedding, ragged", p => Embedding(p, 77)),
        ("Embedding, whole vectors", p => Embedding(p, 80)),
        ("Elementwise, ragged", p => Elementwise(p, 123)),
        ("Elementwise, whole vectors", p => Elementwise(p, 136)),
        ("AdamW, ragged", p => AdamW(p, 77, 9)),
        ("AdamW, whole vectors", p => AdamW(p, 80, 9)),
        ("AdamW, gradient not finite", p => AdamW(p, 77, double.NaN)),
        .. EncoderOpChecks.All,
        .. BlockOpChecks.All,
    ];

    /// <summary>The names of the checks; each begins with the name of its op.</summary>
    internal static IEnumerable<string> Names => Ops.Select(op => op.Name);

    /// <summary>Runs all checks, one at a time.</summary>
    /// <param name="device">What to check; it stays open.</param>
    public static IEnumerable<HealthCheck> Run(IBackend device)
    {
        var (tolerance, reason) = ToleranceOf(device.Operands);
        foreach (var (name, run) in Ops)
        {
            using var reference = new ReferenceBackend();
            using var found = new ProbeTensors(device);
            using var expected = new ProbeTensors(reference);
            var pairs = run(found).Zip(run(expected));
            yield return new(
                name, pairs.Max(p => HealthCheck.Error(p.First.ReadDoubles(), p.Second.ReadDoubles())), tolerance,
                reason);
        }
    }

    /// <summary>The error that rounding explains in one op.</summary>
    public static (double Tolerance, string Reason) ToleranceOf(DType activation) => activation switch
    {
        DType.Float64 => (1e-12, "fp64 against itself"),
        DType.Float32 => (2e-5, "fp32 rounds at 6e-8; a GPU's exp and log are good to 2e-6"),
        _ => (3e-2, "bf16 rounds at 4e-3 wherever it stores"),
    };

    private static Tensor[] RmsNorm(ProbeTensors p, int dim)
    {
        var (x, weight, y, rstd) =
            (p.Take("x", new(5, dim)), p.Wide("weight", new(dim)), p.Take("y", new(5, dim)), p.Wide("rstd", new(5)));
        var (dx, dweight) = (p.Take("dx", x.Shape), p.Wide("dweight", weight.Shape));
        p.Backend.RmsNorm.Forward(x, weight, 1e-5, y, rstd);
        p.Backend.RmsNorm.Backward(p.Take("dy", x.Shape), x, weight, rstd, dx, dweight);
        return [y, rstd, dx, dweight];
    }

    private static Tensor[] Linear(ProbeTensors p, int rows, int inputs, int outputs, DType? type)
    {
        var (x, weight) = (
            p.Take("x", new(rows, inputs)), p.Take("weight", new(outputs, inputs), type ?? p.Backend.Accumulation));
        var (y, dy, dx) = (p.Take("y", new(rows, outputs)), p.Take("dy", new(rows, outputs)), p.Take("dx", x.Shape));
        var (dweight, bias, dbias) = (
            p.Wide("dweight", weight.Shape), p.Wide("bias", new(outputs)), p.Wide("dbias", new(outputs)));
        var (stream, further) = (p.Wide("stream", y.Shape), p.Wide("further", y.Shape));
        p.Backend.Linear.Forward(x, weight, null, new(type is null ? bias : null), y);
        p.Backend.Linear.Forward(x, weight, null, new(bias, Residual: stream), further);
        var (gate, up, product) = (p.Take("gate", y.Shape), p.Take("up", y.Shape), p.Take("product", y.Shape));
        p.Backend.Linear.Forward(x, weight, null, new(bias, Gate: gate, Gated: product), up);
        p.Backend.Linear.BackwardInput(dy, weight, dx, accumulate: true);
        p.Backend.Linear.BackwardWeight(dy, x, dweight, dbias);
        return [y, further, up, product, dx, dweight, dbias];
    }

    /// <summary>Sizes that tensor cores can take, or ragged ones, for which a LoRA term is a pass of its own.</summary>
    private static Tensor[] Lora(ProbeTensors p, int rank, bool dropped, bool fused)
    {
        var (rows, inputs, outputs) = fused ? (19, 72, 40) : (9, 37, 21);
        var dropout = dropped ? new Dropout(0.25, Philox.Stream(1, "dropout")) : Dropout.None;
        var x = p.Take("x", new(rows, inputs));
        var weight = p.Take("weight", new(outputs, inputs), DType.BFloat16);
        var (a, b) = (p.Wide("a", new(rank, inputs)), p.Wide("b", new(outputs, rank)));
        var (u, y, du) = (p.Take("u", new(rows, rank)), p.Take("y", new(rows, outputs)), p.Take("du", new(rows, rank)));
        var (da, db, dx) = (p.Wide("da", a.Shape), p.Wide("db", b.Shape), p.Take("dx", x.Shape));
        var (linear, lora) = (p.Backend.Linear, new LoraTerm(a, b, 0.5, dropout, u));
        var (stream, further) = (p.Wide("stream", y.Shape), p.Wide("further", y.Shape));
        linear.Forward(x, weight, lora, new(p.Wide("bias", new(outputs)), Residual: stream), further);
        var (gate, up, product) = (p.Take("gate", y.Shape), p.Take("up", y.Shape), p.Take("product", y.Shape));
        linear.Forward(x, weight, lora, new(Gate: gate, Gated: product), up);
        linear.Forward(x, weight, lora, default, y);
        linear.BackwardLora(p.Take("dy", y.Shape), x, weight, lora, new(du, da, db), dx, accumulate: true);
        return [u, y, further, up, product, da, db, dx];
    }

    private static Tensor[] Dora(ProbeTensors p, int inputs, int outputs)
    {
        Shape rows = new(9, outputs), vector = new(outputs);
        var (z, y, further) = (p.Take("z", rows), p.Take("y", rows), p.Wide("further", rows));
        var (magnitude, norm, bias) = (p.Wide("magnitude", vector), p.Wide("norm", vector), p.Wide("bias", vector));
        var (dz, dmagnitude) = (p.Take("dz", z.Shape), p.Wide("dmagnitude", magnitude.Shape));
        var weight = p.Take("weight", new(outputs, inputs), DType.BFloat16);
        p.Backend.Dora.Norm(weight, p.Wide("a", new(4, inputs)), p.Wide("b", new(outputs, 4)), 0.5, norm);
        p.Backend.Dora.Forward(z, magnitude, norm, null, null, y);
        p.Backend.Dora.Forward(z, magnitude, norm, bias, p.Wide("stream", y.Shape), further);
        p.Backend.Dora.Backward(p.Take("dy", y.Shape), z, magnitude, norm, dz, dmagnitude);
        return [norm, y, further, dz, dmagnitude];
    }

    private static Tensor[] Rope(ProbeTensors p, int half)
    {
        var (x, positions) = (p.Take("x", new(5, 4 * half)), p.Ints("positions", [0, 3, 1, 7, 2]));
        var angles = Enumerable.Range(0, 8 * half).Select(i => i / half * Math.Pow(100, -(i % half) / (double)half))
            .ToArray();
        var cos = p.Take("cos", new(8, half), Array.ConvertAll(angles, Math.Cos), p.Backend.Accumulation);
        var sin = p.Take("sin", new(8, half), Array.ConvertAll(angles, Math.Sin), p.Backend.Accumulation);
        p.Backend.Rope.Forward(x, positions, cos, sin);
        var dx = p.Take("dx", x.Shape);
        p.Backend.Rope.Backward(dx, positions, cos, sin);
        return [x, dx];
    }

    private static Tensor[] Attention(ProbeTensors p)
    {
        const int Rows = 37, HeadDim = 24, Heads = 4, KeyHeads = 2;
        var (q, k, v) = (
            p.Take("q", new(Rows, Heads * HeadDim)), p.Take("k", new(Rows, KeyHeads * HeadDim)),
            p.Take("v", new(Rows, KeyHeads * HeadDim)));
        var first = p.Ints("first", Enumerable.Range(0, Rows).Select(n => n < 20 ? 0 : 20));
        var last = p.Ints("last", Enumerable.Range(0, Rows));
        var (y, logSum, delta) = (
            p.Take("y", q.Shape), p.Wide("logSum", new(Rows, Heads)), p.Wide("delta", new(Rows, Heads)));
        var (dq, dk, dv) = (p.Take("dq", q.Shape), p.Take("dk", k.Shape), p.Take("dv", v.Shape));
        var scale = 1 / Math.Sqrt(HeadDim);
        var input = new AttentionInput(q, k, v, first, last, HeadDim, scale);
        p.Backend.Attention.Forward(input, y, logSum);
        p.Backend.Attention.Backward(p.Take("dy", y.Shape), input, y, logSum, delta, new(dq, dk, dv));
        return [y, logSum, dq, dk, dv];
    }

    /// <summary>As in decoding: rows look into parts of a cache of their own, one key or several hundred.</summary>
    private static Tensor[] AttentionOverCache(ProbeTensors p, int heads, int headDim)
    {
        const int Keys = 300, KeyHeads = 2;
        var (q, k, v) = (
            p.Take("q", new(3, KeyHeads * heads * headDim)), p.Take("k", new(Keys, KeyHeads * headDim)),
            p.Take("v", new(Keys, KeyHeads * headDim)));
        var (y, logSum) = (p.Take("y", q.Shape), p.Wide("logSum", new(3, KeyHeads * heads)));
        var (first, last) = (p.Ints("first", [0, 40, 299]), p.Ints("last", [99, 298, 299]));
        p.Backend.Attention.Forward(new(q, k, v, first, last, headDim, 1 / Math.Sqrt(headDim)), y, logSum);
        return [y, logSum];
    }

    private static Tensor[] SwiGlu(ProbeTensors p, int columns)
    {
        Tensor Of(string name) => p.Take(name, new(5, columns));
        var (gate, up, product, dgate, dup) = (Of("gate"), Of("up"), Of("product"), Of("dgate"), Of("dup"));
        p.Backend.SwiGlu.Forward(gate, up, product);
        p.Backend.SwiGlu.Backward(Of("dproduct"), gate, up, dgate, dup);
        return [product, dgate, dup];
    }

    private static Tensor[] CrossEntropy(ProbeTensors p, int vocabulary)
    {
        var (logits, targets) = (
            p.Take("logits", new(5, vocabulary)), p.Ints("targets", [3, -1, vocabulary - 1, 0, 77]));
        var (nll, logSum, dlogits) = (
            p.Wide("nll", new(5)), p.Wide("logSum", new(5)), p.Take("dlogits", new(5, vocabulary)));
        p.Backend.CrossEntropy.Forward(logits, targets, nll, logSum);
        p.Backend.CrossEntropy.Backward(logits, targets, logSum, 0.25, dlogits);
        return [nll, logSum, dlogits];
    }

    private static Tensor[] Embedding(ProbeTensors p, int columns)
    {
        var (tokens, weight) = (p.Ints("tokens", [2, 0, 2, 5, 2, 0]), p.Wide("weight", new(6, columns)));
        var (y, dweight) = (p.Take("y", new(6, columns)), p.Wide("dweight", new(6, columns)));
        p.Backend.Embedding.Forward(tokens, weight, y);
        p.Backend.Embedding.Backward(p.Take("dy", y.Shape), tokens, dweight);
        return [y, dweight];
    }

    private static Tensor[] Elementwise(ProbeTensors p, int columns)
    {
        var (a, wide) = (p.Take("a", new(5, columns)), p.Wide("wide", new(5, columns)));
        var rows = p.Ints("rows", [4, 0, 2]);
        var (picked, placed) = (p.Take("picked", new(3, columns)), p.Take("placed", new(5, columns)));
        var total = p.Take("total", new(1), [0], DType.Float64);
        p.Backend.Elementwise.GatherRows(a, rows, picked);
        p.Backend.Elementwise.ScatterRows(picked, rows, placed);
        p.Backend.Elementwise.Add(p.Wide("other", wide.Shape), wide);
        p.Backend.Elementwise.SumOfSquares(wide, total);
        p.Backend.Elementwise.AddNoise(Philox.Stream(1, "noise"), p.Wide("scale", new(5)), a);
        return [picked, placed, wide, total, a];
    }

    private static Tensor[] AdamW(ProbeTensors p, int columns, double normSquared)
    {
        Tensor Of(string name) => p.Wide(name, new(3, columns));
        var (value, gradient, m) = (Of("value"), Of("gradient"), Of("m"));
        var v = p.Take("v", new(3, columns), [.. Enumerable.Repeat(0.25, 3 * columns)], p.Backend.Accumulation);
        var norm = p.Take("norm", new(1), [normSquared], DType.Float64);
        p.Backend.AdamW.Update(value, gradient, m, v, new(0.01, 0.9, 0.999, 1e-8, 0.1, 3, 1), norm);
        return [value, m, v];
    }
}

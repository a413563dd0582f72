using System.Runtime.Intrinsics.X86;

namespace SafeLlama.Kernels.Tests.Bf16;

/// <summary>Attention over tensors that a training pass keeps in bf16.</summary>
internal sealed class Bf16AttentionTests
{
    private const int Heads = 4, KeyHeads = 2;

    /// <summary>Rows, size of a head, examples: ragged, odd first keys, several blocks of keys, cut groups.</summary>
    private static readonly int[][] Shapes =
        [[1, 16, 1], [7, 16, 2], [33, 32, 1], [70, 64, 3], [131, 48, 2], [257, 32, 5], [1100, 16, 1]];

    [TestCaseSource(nameof(Shapes))]
    public void Instruction_emulation_and_any_number_of_threads_give_the_same_bytes(
        int rows, int headDim, int examples)
    {
        var lanes = Avx512F.IsSupported ? 16 : Avx2.IsSupported ? 8 : 4;
        var expected = Compute(new CpuBackend(1, lanes, DType.BFloat16, emulates: true), rows, headDim, examples);
        double[] Found(IBackend backend) => Compute(backend, rows, headDim, examples);
        Assert.That(Found(new CpuBackend(1, DType.BFloat16)), Is.EqualTo(expected), "as this machine does it");
        Assert.That(Found(new CpuBackend(3, DType.BFloat16)), Is.EqualTo(expected), "3 threads");
        Assert.That(
            Found(new CpuBackend(2, lanes, DType.BFloat16, emulates: true)), Is.EqualTo(expected), "2 threads");
    }

    /// <summary>
    /// p, dy and ds are rounded once, by 2⁻⁹ of them at most; ds is a difference of two numbers up to four times as
    /// large as itself. Relative to the largest, four such errors.
    /// </summary>
    [Test]
    public void It_agrees_with_the_reference_as_far_as_rounding_allows(
        [ValueSource(nameof(Shapes))] int[] shape, [Values(16, 8, 4)] int lanes)
    {
        var (rows, headDim, examples) = (shape[0], shape[1], shape[2]);
        Assume.That(lanes < 16 || Avx512F.IsSupported);
        Assume.That(lanes < 8 || Avx2.IsSupported);
        var expected = Parts(new ReferenceBackend(), rows, headDim, examples);
        var found = Parts(new CpuBackend(2, lanes, DType.BFloat16, emulates: true), rows, headDim, examples);
        for (var i = 0; i < expected.Length; i++)
        {
            var largest = Math.Max(expected[i].Max(Math.Abs), 0.1);
            Assert.That(found[i], Is.EqualTo(expected[i]).Within(4 * largest / 256), $"tensor {i}");
        }
    }

    /// <summary>
    /// Against slopes of the reference's forward; of the size of the tolerance above, and of fp64 differences far less.
    /// </summary>
    [Category("Gradient")]
    [Test]
    public void Backward_agrees_with_finite_differences()
    {
        const int Rows = 21, HeadDim = 16;
        const double Step = 1e-4;
        using var backend = new CpuBackend(1, DType.BFloat16);
        using var t = new TestTensors(backend);
        var gradients = Run(t, Rows, HeadDim, examples: 2)[2..];
        foreach (var (name, gradient) in new[] { "q", "k", "v" }.Zip(gradients))
        {
            var found = gradient.ReadDoubles();
            var largest = found.Max(Math.Abs);
            for (var i = 0; i < found.Length; i += 37)
            {
                var slope = (Loss(name, i, Step) - Loss(name, i, -Step)) / (2 * Step);
                Assert.That(found[i], Is.EqualTo(slope).Within(4 * largest / 256), $"{name}[{i}]");
            }
        }

        static double Loss(string name, int place, double step)
        {
            using var reference = new ReferenceBackend();
            using var t = new TestTensors(reference);
            var values = Values(name, Rows * (name == "q" ? Heads : KeyHeads) * HeadDim);
            values[place] += step;
            t.Replace(name, values);
            var y = Run(t, Rows, HeadDim, examples: 2)[0];
            return y.ReadDoubles().Zip(Values("dy", Rows * Heads * HeadDim), (a, b) => a * b).Sum();
        }
    }

    [Test]
    public void A_key_that_is_not_a_number_reaches_only_who_sees_it()
    {
        using var backend = new CpuBackend(1, DType.BFloat16);
        using var t = new TestTensors(backend);
        var keys = Values("k", 70 * KeyHeads * 32);
        keys[^1] = double.NaN;
        t.Replace("k", keys);
        var y = Run(t, 70, 32, examples: 1)[0].ReadDoubles();
        Assert.That(y[^1], Is.NaN, "the last query sees the last key");
        Assert.That(y[..(64 * Heads * 32)], Has.None.NaN, "whole blocks before do not");
    }

    /// <summary>y, logSum, dq, dk, dv over q, k, v and y in the type that the backend keeps.</summary>
    internal static Tensor[] Run(TestTensors t, int rows, int headDim, int examples) =>
        Run(t, t.Backend.Attention, rows, headDim, examples);

    /// <summary>The same by a given op.</summary>
    internal static Tensor[] Run(TestTensors t, Attention attention, int rows, int headDim, int examples)
    {
        var kept = t.Backend.Kept;
        Tensor Input(string name, int heads, DType? type = null) =>
            t.Input(name, new(rows, heads * headDim), Values(name, rows * heads * headDim), type);
        var (q, k, v) = (Input("q", Heads, kept), Input("k", KeyHeads, kept), Input("v", KeyHeads, kept));
        int FirstOf(int n) => ((n * examples / rows * rows) + examples - 1) / examples;
        var first = t.Ints("first", [.. Enumerable.Range(0, rows).Select(FirstOf)]);
        var last = t.Ints("last", [.. Enumerable.Range(0, rows)]);
        var (y, logSum) = (t.Output("y", q.Shape, kept), t.Output("logSum", new(rows, Heads), t.Backend.Accumulation));
        var input = new AttentionInput(q, k, v, first, last, headDim, 1 / Math.Sqrt(headDim));
        attention.Forward(input, y, logSum);
        var (dq, dk, dv) = (t.Output("dq", q.Shape), t.Output("dk", k.Shape), t.Output("dv", v.Shape));
        var delta = t.Output("delta", logSum.Shape, t.Backend.Accumulation);
        attention.Backward(Input("dy", Heads), input, y, logSum, delta, new(dq, dk, dv));
        return [y, logSum, dq, dk, dv];
    }

    private static double[] Compute(IBackend backend, int rows, int headDim, int examples) =>
        [.. Parts(backend, rows, headDim, examples).SelectMany(part => part)];

    private static double[][] Parts(IBackend backend, int rows, int headDim, int examples)
    {
        using (backend)
        {
            using var t = new TestTensors(backend);
            return [.. Run(t, rows, headDim, examples).Select(tensor => tensor.ReadDoubles())];
        }
    }

    /// <summary>Numbers that bf16 holds exactly, so that every backend begins with the same.</summary>
    private static double[] Values(string name, int count)
    {
        var random = new Random(name.Sum(c => c));
        return [.. Enumerable.Range(0, count).Select(_ =>
            (double)DTypes.WidenBFloat16(DTypes.NarrowBFloat16((float)((4 * random.NextDouble()) - 2))))];
    }
}

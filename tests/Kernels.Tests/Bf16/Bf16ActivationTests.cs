using System.Runtime.Intrinsics.X86;

namespace SafeLlama.Kernels.Tests.Bf16;

/// <summary>Ops over activations that a training pass keeps in bf16.</summary>
internal sealed class Bf16ActivationTests
{
    private static readonly int[] Lanes = [16, 8, 4];

    /// <summary>Ragged rows; inputs that are whole steps of the tile (800), and not (803).</summary>
    [TestCase(150, 800, 70, 8)]
    [TestCase(150, 803, 71, 20)]
    [TestCase(3, 800, 70, 8)]
    public void A_linear_layer_has_the_same_bytes_by_instruction_and_emulation(
        int rows, int inputs, int outputs, int rank)
    {
        var lanes = Avx512F.IsSupported ? 16 : Avx2.IsSupported ? 8 : 4;
        var expected = Linear(new CpuBackend(1, lanes, DType.BFloat16, emulates: true), rows, inputs, outputs, rank);
        Assert.That(Linear(new CpuBackend(1, DType.BFloat16), rows, inputs, outputs, rank), Is.EqualTo(expected));
        Assert.That(Linear(new CpuBackend(3, DType.BFloat16), rows, inputs, outputs, rank), Is.EqualTo(expected));
    }

    [TestCase(150, 800, 70)]
    [TestCase(150, 803, 71)]
    [TestCase(3, 800, 70)]
    public void What_a_linear_layer_keeps_in_bf16_is_its_result_in_fp32_rounded(int rows, int inputs, int outputs)
    {
        using var backend = new CpuBackend(2, DType.BFloat16);
        using var t = new TestTensors(backend);
        var (kept, x) = (t.Input("x", new(rows, inputs), DType.BFloat16), t.Output("wide", new(rows, inputs)));
        x.Write(kept.ReadDoubles());
        var weight = t.Input("weight", new(outputs, inputs));
        var epilogue = new Epilogue(Bias: t.Input("bias", new(outputs)));
        var (y, rounded) = (t.Output("y", new(rows, outputs)), t.Output("rounded", new(rows, outputs), DType.BFloat16));
        backend.Linear.Forward(x, weight, null, epilogue, y);
        backend.Linear.Forward(kept, weight, null, epilogue, rounded);
        Assert.That(rounded.ReadDoubles(), Is.EqualTo(y.ReadFloats().Select(Rounded)));
    }

    [Test]
    public void Norms_gates_and_rotations_are_rounded_once_from_fp32([ValueSource(nameof(Lanes))] int lanes)
    {
        Assume.That(lanes < 16 || Avx512F.IsSupported);
        Assume.That(lanes < 8 || Avx2.IsSupported);
        var wide = Elementwise(new CpuBackend(2, lanes), DType.Float32);
        var kept = Elementwise(new CpuBackend(2, lanes, DType.BFloat16), DType.BFloat16);
        for (var i = 0; i < wide.Length; i++)
        {
            // The last two are gradients, which stay fp32.
            var expected = i < wide.Length - 2 ? [.. wide[i].Select(x => Rounded((float)x))] : wide[i];
            Assert.That(kept[i], Is.EqualTo(expected), $"{i}");
        }
    }

    [Test]
    public void A_gradient_of_logits_in_bf16_may_lie_over_them([ValueSource(nameof(Lanes))] int lanes)
    {
        Assume.That(lanes < 16 || Avx512F.IsSupported);
        Assume.That(lanes < 8 || Avx2.IsSupported);
        using var backend = new CpuBackend(2, lanes, DType.BFloat16);
        using var t = new TestTensors(backend);
        const int Rows = 9, Vocabulary = 9001;
        var logits = t.Input("logits", new(Rows, Vocabulary));
        var targets = t.Ints("targets", 0, 5, -1, 8191, 8192, 9000, 7, 4096, 3);
        var (nll, logSum) = (t.Output("nll", new(Rows)), t.Output("logSum", new(Rows)));
        backend.CrossEntropy.Forward(logits, targets, nll, logSum);
        var wide = t.Output("wide", logits.Shape);
        backend.CrossEntropy.Backward(logits, targets, logSum, 0.25, wide);
        var over = logits.Overlay(DType.BFloat16);
        backend.CrossEntropy.Backward(logits, targets, logSum, 0.25, over);
        Assert.That(over.ReadDoubles(), Is.EqualTo(wide.ReadFloats().Select(Rounded)));
    }

    private static double Rounded(float value) => DTypes.WidenBFloat16(Bf16Rounding.Round(value));

    private static double[][] Elementwise(IBackend backend, DType kept)
    {
        using (backend)
        {
            const int Rows = 37, Columns = 88, HeadDim = 22;
            using var t = new TestTensors(backend);
            Tensor Input(string name)
            {
                var tensor = t.Output(name, new(Rows, Columns), kept);
                tensor.Write(t.Input($"{name} values", tensor.Shape, DType.BFloat16).ReadDoubles());
                return tensor;
            }

            Tensor Output(string name, DType type) => t.Output(name, new(Rows, Columns), type);
            var normed = Output("normed", kept);
            backend.RmsNorm.Forward(
                t.Input("h", normed.Shape), t.Input("norm", new(Columns)), 1e-5, normed, t.Output("rstd", new(Rows)));
            var (gate, up, product) = (Input("gate"), Input("up"), Output("product", kept));
            backend.SwiGlu.Forward(gate, up, product);
            var rotated = Input("rotated");
            var positions = t.Ints("positions", [.. Enumerable.Range(0, Rows)]);
            backend.Rope.Forward(
                rotated, positions, t.Input("cos", new(Rows, HeadDim / 2)), t.Input("sin", new(Rows, HeadDim / 2)));
            var (dgate, dup) = (Output("dgate", DType.Float32), Output("dup", DType.Float32));
            backend.SwiGlu.Backward(t.Input("dproduct", gate.Shape), gate, up, dgate, dup);
            return [.. new[] { normed, product, rotated, dgate, dup }.Select(tensor => tensor.ReadDoubles())];
        }
    }

    private static double[] Linear(IBackend backend, int rows, int inputs, int outputs, int rank)
    {
        using (backend)
        {
            using var t = new TestTensors(backend);
            var x = t.Input("x", new(rows, inputs), DType.BFloat16);
            var weight = t.Input("weight", new(outputs, inputs));
            var (a, b) = (t.Input("a", new(rank, inputs)), t.Input("b", new(outputs, rank)));
            var (u, y) = (t.Output("u", new(rows, rank)), t.Output("y", new(rows, outputs), DType.BFloat16));
            var lora = new LoraTerm(a, b, 2, Dropout.None, u);
            backend.Linear.Forward(x, weight, lora, default, y);
            var (dy, dx) = (t.Input("dy", y.Shape, DType.BFloat16), t.Output("dx", x.Shape));
            backend.Linear.BackwardInput(dy, weight, dx, accumulate: false);
            var dweight = t.Gradient("dweight", weight.Shape);
            backend.Linear.BackwardWeight(dy, x, dweight, null);
            var (du, da, db) = (t.Output("du", u.Shape), t.Gradient("da", a.Shape), t.Gradient("db", b.Shape));
            backend.Linear.BackwardLora(
                t.Input("dy wide", y.Shape), x, weight, lora, new LoraGradients(du, da, db), dx, accumulate: true);
            return
            [
                .. y.ReadDoubles(), .. u.ReadDoubles(), .. dx.ReadDoubles(), .. dweight.ReadDoubles(),
                .. da.ReadDoubles(), .. db.ReadDoubles(),
            ];
        }
    }
}

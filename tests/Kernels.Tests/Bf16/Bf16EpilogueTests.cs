using System.Runtime.Intrinsics.X86;

namespace SafeLlama.Kernels.Tests.Bf16;

/// <summary>A gate in the epilogue of a product in bf16: forward beside y, backward over dx.</summary>
internal sealed class Bf16EpilogueTests
{
    /// <summary>Rows, inputs, outputs: one block of k and two, columns over 512, ragged ends, few rows.</summary>
    private static readonly int[][] Shapes =
        [[150, 256, 688], [150, 803, 71], [61, 770, 600], [40, 30, 16], [3, 800, 70], [1, 64, 40]];

    [TestCaseSource(nameof(Shapes))]
    public void A_fused_gate_has_the_bytes_of_a_pass_of_its_own(int rows, int inputs, int outputs)
    {
        foreach (var rank in new[] { 0, 8 })
        {
            var expected = Forward(Emulated(1, Widest), rows, inputs, outputs, rank, fused: false);
            foreach (var (name, backend) in Backends())
            {
                Assert.That(
                    Forward(backend, rows, inputs, outputs, rank, fused: true), Is.EqualTo(expected),
                    $"{name}, rank {rank}");
            }
        }
    }

    [TestCaseSource(nameof(Shapes))]
    public void A_fused_gradient_of_a_gate_has_the_bytes_of_a_pass_of_its_own(int rows, int outputs, int inputs)
    {
        foreach (var rank in new[] { 0, 8 })
        {
            var expected = Backward(Emulated(1, Widest), rows, inputs, outputs, rank, fused: false);
            foreach (var (name, backend) in Backends())
            {
                Assert.That(
                    Backward(backend, rows, inputs, outputs, rank, fused: true), Is.EqualTo(expected),
                    $"{name}, rank {rank}");
            }
        }
    }

    /// <summary>Dropped elements of du A cannot be part of the product's sums, so the gate takes its own
    /// pass.</summary>
    [Test]
    public void Under_dropout_the_gradients_of_the_gate_are_the_same_by_any_number_of_threads()
    {
        var expected = Backward(Emulated(1, Widest), 150, 688, 256, 8, fused: false, dropout: 0.1);
        Assert.That(Backward(new CpuBackend(1, DType.BFloat16), 150, 688, 256, 8, true, 0.1), Is.EqualTo(expected));
        Assert.That(Backward(new CpuBackend(3, DType.BFloat16), 150, 688, 256, 8, true, 0.1), Is.EqualTo(expected));
    }

    /// <summary>
    /// Inputs are bf16 already; y and up are rounded once (2⁻⁹), and so is what follows, whose slope in y is about one
    /// at these sizes: three roundings of the largest value.
    /// </summary>
    [TestCaseSource(nameof(Shapes))]
    public void Both_agree_with_the_reference_as_far_as_rounding_allows(int rows, int inputs, int outputs)
    {
        Agrees(backend => Forward(backend, rows, inputs, outputs, 8, fused: true));
        Agrees(backend => Backward(backend, rows, outputs, inputs, 8, fused: true));

        static void Agrees(Func<IBackend, double[]> run)
        {
            var (expected, found) = (run(new ReferenceBackend()), run(new CpuBackend(2, DType.BFloat16)));
            Assert.That(found, Is.EqualTo(expected).Within(3 * expected.Max(Math.Abs) / 512));
        }
    }

    /// <summary>The gradient of gate and up against slopes of the reference's own forward, in fp64.</summary>
    [Category("Gradient")]
    [Test]
    public void Backward_agrees_with_finite_differences()
    {
        const int Rows = 5, Inputs = 40, Outputs = 24;
        const double Step = 1e-4;
        using var backend = new CpuBackend(1, DType.BFloat16);
        using var t = new TestTensors(backend);
        var found = Gradients(t, Rows, Inputs, Outputs, 0, fused: true, 0);
        foreach (var (name, gradient) in new[] { "gate", "up" }.Zip(found))
        {
            var values = gradient.ReadDoubles();
            var largest = values.Max(Math.Abs);
            for (var i = 0; i < values.Length; i += 7)
            {
                var slope = (Loss(name, i, Step) - Loss(name, i, -Step)) / (2 * Step);
                Assert.That(values[i], Is.EqualTo(slope).Within(2 * largest / 256), $"{name}[{i}]");
            }
        }

        static double Loss(string name, int place, double step)
        {
            using var reference = new ReferenceBackend();
            using var t = new TestTensors(reference);
            Tensor Input(string input, int rows, int columns) => t.Input(input, new(rows, columns), DType.BFloat16);
            var (gate, up) = (Input("gate", Rows, Inputs), Input("up", Rows, Inputs));
            var (dy, weight) = (Input("dy", Rows, Outputs).ReadDoubles(), Input("weight", Outputs, Inputs));
            var moved = t.Output($"moved {name}", gate.Shape);
            var values = (name == "gate" ? gate : up).ReadDoubles();
            values[place] += step;
            moved.Write(values);
            var (product, y) = (t.Output("product", gate.Shape), t.Output("y", new(Rows, Outputs)));
            reference.SwiGlu.Forward(name == "gate" ? moved : gate, name == "up" ? moved : up, product);
            reference.Linear.Forward(product, weight, y);
            return y.ReadDoubles().Zip(dy, (a, b) => a * b).Sum();
        }
    }

    private static int Widest => Avx512F.IsSupported ? 16 : Avx2.IsSupported ? 8 : 4;

    private static CpuBackend Emulated(int threads, int lanes) =>
        new(threads, lanes, DType.BFloat16, emulates: true);

    private static IEnumerable<(string Name, IBackend Backend)> Backends()
    {
        yield return ("as this machine does it", new CpuBackend(1, DType.BFloat16));
        yield return ("3 threads", new CpuBackend(3, DType.BFloat16));
        yield return ("emulated, 2 threads", Emulated(2, Widest));
    }

    private static double[] Forward(IBackend backend, int rows, int inputs, int outputs, int rank, bool fused)
    {
        using (backend)
        {
            using var t = new TestTensors(backend);
            var kept = backend.Kept;
            var (x, gate) = (Kept(t, "x", rows, inputs), Kept(t, "gate", rows, outputs));
            var weight = t.Input("weight", new(outputs, inputs), DType.BFloat16);
            var (y, gated) = (t.Output("y", gate.Shape, kept), t.Output("gated", gate.Shape, kept));
            LoraTerm? lora = rank == 0 ? null : Term(t, rows, inputs, outputs, rank, 0);
            backend.Linear.Forward(x, weight, lora, fused ? new(Gate: gate, Gated: gated) : default, y);
            if (!fused)
            {
                backend.SwiGlu.Forward(gate, y, gated);
            }

            return [.. y.ReadDoubles(), .. gated.ReadDoubles()];
        }
    }

    private static double[] Backward(
        IBackend backend, int rows, int inputs, int outputs, int rank, bool fused, double dropout = 0)
    {
        using (backend)
        {
            using var t = new TestTensors(backend);
            return [.. Gradients(t, rows, inputs, outputs, rank, fused, dropout).SelectMany(g => g.ReadDoubles())];
        }
    }

    /// <summary>dgate and dup; fused they lie over dx where they are half as long.</summary>
    private static Tensor[] Gradients(
        TestTensors t, int rows, int inputs, int outputs, int rank, bool fused, double dropout)
    {
        var (linear, kept) = (t.Backend.Linear, t.Backend.Kept);
        Tensor gate = Kept(t, "gate", rows, inputs), up = Kept(t, "up", rows, inputs);
        var dy = t.Input("dy", new(rows, outputs), DType.BFloat16);
        var weight = t.Input("weight", new(outputs, inputs), DType.BFloat16);
        var dx = t.Output("dx", gate.Shape);
        var overlaid = fused && dx.Type != kept;
        var into = new GatedProduct(
            gate, up, overlaid ? dx.Overlay(kept) : t.Output("dgate", dx.Shape, kept),
            overlaid ? dx.Overlay(kept, part: 1) : t.Output("dup", dx.Shape, kept));
        GatedProduct? gated = fused ? into : null;
        if (rank == 0)
        {
            linear.BackwardInput(dy, weight, dx, accumulate: false, gated);
        }
        else
        {
            var lora = Term(t, rows, inputs, outputs, rank, dropout);
            linear.Forward(gate, weight, lora, default, t.Output("y", new(rows, outputs)));
            var gradients = new LoraGradients(
                t.Output("du", lora.U.Shape), t.Gradient("da", lora.A.Shape), t.Gradient("db", lora.B.Shape));
            linear.BackwardLora(dy, gate, weight, lora, gradients, dx, accumulate: false, gated);
        }

        if (!fused)
        {
            t.Backend.SwiGlu.Backward(dx, gate, up, into.DGate, into.DUp);
        }

        return [into.DGate, into.DUp];
    }

    private static Tensor Kept(TestTensors t, string name, int rows, int columns)
    {
        var tensor = t.Output($"kept {name}", new(rows, columns), t.Backend.Kept);
        tensor.Write(t.Input(name, tensor.Shape, DType.BFloat16).ReadDoubles());
        return tensor;
    }

    private static LoraTerm Term(TestTensors t, int rows, int inputs, int outputs, int rank, double dropout) => new(
        t.Input("a", new(rank, inputs)), t.Input("b", new(outputs, rank)), 2,
        dropout > 0 ? new Dropout(dropout, Common.Philox.Stream(1, "dropout")) : Dropout.None,
        t.Output("u", new(rows, rank)));
}

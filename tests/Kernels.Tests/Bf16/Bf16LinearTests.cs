using System.Runtime.Intrinsics.X86;

namespace SafeLlama.Kernels.Tests.Bf16;

/// <summary>The linear layer in bf16, its LoRA term within the same sums.</summary>
internal sealed class Bf16LinearTests
{
    private const int Rows = 150, Inputs = 800, Outputs = 70, Rank = 8;

    [Test]
    public void Instruction_emulation_and_any_number_of_threads_give_the_same_bytes()
    {
        var lanes = Avx512F.IsSupported ? 16 : Avx2.IsSupported ? 8 : 4;
        var expected = Compute(new CpuBackend(1, lanes, DType.BFloat16, emulates: true));
        Assert.That(Compute(new CpuBackend(1, DType.BFloat16)), Is.EqualTo(expected), "as this machine does it");
        Assert.That(Compute(new CpuBackend(3, DType.BFloat16)), Is.EqualTo(expected), "3 threads");
        Assert.That(
            Compute(new CpuBackend(2, lanes, DType.BFloat16, emulates: true)), Is.EqualTo(expected), "2 threads");
    }

    /// <summary>
    /// Operands are rounded once, by at most 2⁻⁹ of them; over 800 terms of random sign the error of a sum is about
    /// 2⁻⁹ · √(2 · 800 / 3) · 1/3 of the largest products.
    /// </summary>
    [Test]
    public void It_agrees_with_the_reference_as_far_as_rounding_allows()
    {
        var expected = Compute(new ReferenceBackend());
        var found = Compute(new CpuBackend(2, DType.BFloat16));
        var largest = expected.Max(Math.Abs);
        Assert.That(found, Is.EqualTo(expected).Within(largest * 6e-3));
        Assert.That(found, Is.Not.EqualTo(Compute(new CpuBackend(2))), "and rounds at all");
    }

    [Test]
    public void A_product_of_few_rows_stays_in_fp32()
    {
        var found = Compute(new CpuBackend(1, DType.BFloat16), rows: 4)[..(4 * Outputs)];
        Assert.That(found, Is.EqualTo(Compute(new CpuBackend(1), rows: 4)[..(4 * Outputs)]));
    }

    private static double[] Compute(IBackend backend, int rows = Rows)
    {
        using (backend)
        {
            using var t = new TestTensors(backend);
            var (x, weight) = (t.Input("x", new(rows, Inputs)), t.Input("weight", new(Outputs, Inputs)));
            var (a, b) = (t.Input("a", new(Rank, Inputs)), t.Input("b", new(Outputs, Rank)));
            var (u, y) = (t.Output("u", new(rows, Rank)), t.Output("y", new(rows, Outputs)));
            var (dy, dx) = (t.Input("dy", new(rows, Outputs)), t.Output("dx", new(rows, Inputs)));
            var du = t.Output("du", new(rows, Rank));
            var (da, db) = (t.Output("da", a.Shape), t.Output("db", b.Shape));
            da.Clear();
            db.Clear();
            var lora = new LoraTerm(a, b, 2, Dropout.None, u);
            backend.Linear.Forward(x, weight, lora, new Epilogue(Residual: t.Input("residual", y.Shape)), y);
            backend.Linear.BackwardLora(dy, x, weight, lora, new LoraGradients(du, da, db), dx, accumulate: false);
            var dweight = t.Output("dweight", weight.Shape);
            dweight.Clear();
            backend.Linear.BackwardWeight(dy, x, dweight, null);
            return [.. y.ReadDoubles(), .. dx.ReadDoubles(), .. dweight.ReadDoubles()];
        }
    }
}

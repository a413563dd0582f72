using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Kernels.Tests;

/// <summary>The code on docs/05-lora.md.</summary>
internal sealed class LoraPageTests
{
    [Test]
    public void A_row_by_hand()
    {
        using var backend = new CpuBackend(1);
        using var t = new TestTensors(backend);
        var (u, y) = (t.Output("u", new(1, 1)), t.Output("y", new(1, 2)));

        // docs:05-lora:by-hand
        var x = t.Input("x", new(1, 2), [3, 4]);
        var weight = t.Input("weight", new(2, 2), [1, 0, 0, 1]);     // frozen
        var a = t.Input("a", new(1, 2), [1, 2]);                     // rank 1
        var b = t.Input("b", new(2, 1), [0.5, -1]);
        var lora = new LoraTerm(a, b, Scale: 2, Dropout.None, u);
        backend.Linear.Forward(x, weight, lora, default, y);         // [3, 4] + 2 · u Bᵀ
        Assert.That(u.ReadDoubles(), Is.EqualTo(new[] { 11.0 }));    // 3 · 1 + 4 · 2
        Assert.That(y.ReadDoubles(), Is.EqualTo(new[] { 14.0, -18.0 }));
        // end
    }

    [Test]
    public void Training_begins_at_the_base_model()
    {
        using var backend = new CpuBackend(1);
        using var t = new TestTensors(backend);
        var (x, a, u) = (t.Input("x", new(1, 2), [3, 4]), t.Input("a", new(1, 2), [1, 2]), t.Output("u", new(1, 1)));
        var weight = t.Input("weight", new(2, 2), [1, 0, 0, 1]);
        var (y, dy, du) = (t.Output("y", new(1, 2)), t.Input("dy", new(1, 2), [1, 1]), t.Output("du", new(1, 1)));
        var (da, db) = (t.Input("da", new(1, 2), [0, 0]), t.Input("db", new(2, 1), [0, 0]));

        // docs:05-lora:at-zero
        var zero = t.Input("b", new(2, 1), [0, 0]);
        var lora = new LoraTerm(a, zero, Scale: 2, Dropout.None, u);
        backend.Linear.Forward(x, weight, lora, default, y);
        Assert.That(y.ReadDoubles(), Is.EqualTo(new[] { 3.0, 4.0 }), "the base model's answer, untouched");
        backend.Linear.BackwardLora(dy, x, weight, lora, new(du, da, db), dx: null, accumulate: false);
        Assert.That(da.ReadDoubles(), Is.All.Zero, "A hears nothing through B = 0");
        Assert.That(db.ReadDoubles(), Is.EqualTo(new[] { 22.0, 22.0 }), "but B does: 2 · u · dy");
        // end
    }

    [Test]
    public void A_magnitude_by_hand()
    {
        using var backend = new CpuBackend(1);
        using var t = new TestTensors(backend);
        var (u, z, y) = (t.Output("u", new(1, 1)), t.Output("z", new(1, 2)), t.Output("y", new(1, 2)));
        var (norm, dz, dm) = (t.Output("norm", new(2)), t.Output("dz", new(1, 2)), t.Input("dm", new(2), [0, 0]));
        var (x, dy) = (t.Input("x", new(1, 2), [3, 4]), t.Input("dy", new(1, 2), [1, 1]));
        var (a, b) = (t.Input("a", new(1, 2), [1, 2]), t.Input("b", new(2, 1), [0.5, -1]));

        // docs:05-lora:dora
        var weight = t.Input("weight", new(2, 2), [2, 2, 2, 9]);      // W + 2 · B A = [3 4; 0 5]
        var magnitude = t.Input("magnitude", new(2), [10, 1]);
        backend.Dora.Norm(weight, a, b, scale: 2, norm);
        backend.Linear.Forward(x, weight, new LoraTerm(a, b, Scale: 2, Dropout.None, u), default, z);
        backend.Dora.Forward(z, magnitude, norm, bias: null, residual: null, y);
        Assert.That(norm.ReadDoubles(), Is.EqualTo(new[] { 5.0, 5.0 }));
        Assert.That(y.ReadDoubles(), Is.EqualTo(new[] { 50.0, 4.0 }));         // [25, 20] · [10, 1] / 5
        backend.Dora.Backward(dy, z, magnitude, norm, dz, dm);
        Assert.That(dm.ReadDoubles(), Is.EqualTo(new[] { 5.0, 4.0 }));         // dy ⊙ z / 5
        Assert.That(dz.ReadDoubles(), Is.EqualTo(new[] { 2.0, 0.2 }).Within(1e-7));
        // end
    }

    [Test]
    public void Backward_by_hand()
    {
        using var backend = new CpuBackend(1);
        using var t = new TestTensors(backend);
        var (x, a, b) =
            (t.Input("x", new(1, 2), [3, 4]), t.Input("a", new(1, 2), [1, 2]), t.Input("b", new(2, 1), [0.5, -1]));
        var weight = t.Input("weight", new(2, 2), [1, 0, 0, 1]);
        var (u, du) = (t.Input("u", new(1, 1), [11]), t.Output("du", new(1, 1)));
        var (da, db, dx) =
            (t.Input("da", new(1, 2), [0, 0]), t.Input("db", new(2, 1), [0, 0]), t.Input("dx", new(1, 2), [0, 0]));

        // docs:05-lora:backward
        var dy = t.Input("dy", new(1, 2), [1, 1]);
        var lora = new LoraTerm(a, b, Scale: 2, Dropout.None, u);
        backend.Linear.BackwardLora(dy, x, weight, lora, new(du, da, db), dx, accumulate: true);
        Assert.That(du.ReadDoubles(), Is.EqualTo(new[] { -1.0 }));         // 2 · (0.5 − 1)
        Assert.That(da.ReadDoubles(), Is.EqualTo(new[] { -3.0, -4.0 }));   // du · x
        Assert.That(dx.ReadDoubles(), Is.EqualTo(new[] { 0.0, -1.0 }));    // dy · W + du · A = [1, 1] − [1, 2]
        // end
    }

    [Test]
    public void A_merged_weight_answers_alike()
    {
        using var backend = new CpuBackend(1);
        using var t = new TestTensors(backend);
        var x = t.Input("x", new(1, 2), [3, 4]);
        var y = t.Output("y", new(1, 2));

        // docs:05-lora:merged
        double[] w = [1, 0, 0, 1], a = [1, 2], b = [0.5, -1];
        var merged = t.Input("merged", new(2, 2), [.. w.Select((value, i) => value + (2 * b[i / 2] * a[i % 2]))]);
        backend.Linear.Forward(x, merged, y);
        Assert.That(y.ReadDoubles(), Is.EqualTo(new[] { 14.0, -18.0 }));   // W + s · B A, one product
        // end
    }

    [Test]
    public void Dropout_draws_the_same_factors_again()
    {
        // docs:05-lora:dropout
        var dropout = new Dropout(0.25, Philox.Stream(seed: 1, "dropout"));
        var forward = Enumerable.Range(0, 1000).Select(place => dropout.Factor(place)).ToList();
        var backward = Enumerable.Range(0, 1000).Select(place => dropout.Factor(place)).ToList();
        Assert.That(backward, Is.EqualTo(forward), "no mask was kept");
        Assert.That(forward.Distinct().Order(), Is.EqualTo(new[] { 0f, 1 / 0.75f }));
        // end
    }

    [Category("Docs")]
    [Test]
    public void The_page_shows_this_code() => DocSnippets.Check("05-lora.md");
}

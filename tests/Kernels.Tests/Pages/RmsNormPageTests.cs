using SafeLlama.Testing;

namespace SafeLlama.Kernels.Tests;

/// <summary>The code on docs/02-rmsnorm.md.</summary>
internal sealed class RmsNormPageTests
{
    [Test]
    public void A_row_by_hand()
    {
        using var backend = new CpuBackend(1);
        using var t = new TestTensors(backend);

        // docs:02-rmsnorm:by-hand
        var x = t.Input("x", new(1, 2), [3, 4]);              // mean of squares 12.5, its root 3.5355
        var weight = t.Input("weight", new(2), [1, 10]);
        var (y, rstd) = (t.Output("y", new(1, 2)), t.Output("rstd", new(1)));
        backend.RmsNorm.Forward(x, weight, 0, y, rstd);
        Assert.That(rstd.ReadDoubles()[0], Is.EqualTo(1 / 3.5355).Within(1e-5));
        Assert.That(y.ReadDoubles(), Is.EqualTo(new[] { 0.8485, 11.3137 }).Within(1e-4));
        // end
    }

    [Test]
    public void A_longer_row_gives_the_same_result()
    {
        using var backend = new CpuBackend(1);
        using var t = new TestTensors(backend);
        var weight = t.Input("weight", new(2), [1, 10]);
        var (y, rstd) = (t.Output("y", new(1, 2)), t.Output("rstd", new(1)));

        // docs:02-rmsnorm:scale
        var hundredfold = t.Input("x", new(1, 2), [300, 400]);
        backend.RmsNorm.Forward(hundredfold, weight, 0, y, rstd);
        Assert.That(y.ReadDoubles(), Is.EqualTo(new[] { 0.8485, 11.3137 }).Within(1e-4));
        // end
    }

    [Test]
    public void The_gradient_stands_at_right_angles_to_the_row()
    {
        using var backend = new CpuBackend(1);
        using var t = new TestTensors(backend);
        var (x, weight) = (t.Input("x", new(1, 64)), t.Input("weight", new(64)));
        var (y, rstd, dy) = (t.Output("y", new(1, 64)), t.Output("rstd", new(1)), t.Input("dy", new(1, 64)));
        var dx = t.Output("dx", new(1, 64));
        dx.Clear();
        backend.RmsNorm.Forward(x, weight, 0, y, rstd);

        // docs:02-rmsnorm:right-angle
        backend.RmsNorm.Backward(dy, x, weight, rstd, dx, dweight: null);
        var along = dx.ReadDoubles().Zip(x.ReadDoubles(), (d, value) => d * value).Sum();
        Assert.That(along, Is.Zero.Within(1e-5));
        // end
    }

    [Category("Docs")]
    [Test]
    public void The_page_shows_this_code() => DocSnippets.Check("02-rmsnorm.md");
}

namespace SafeLlama.Testing;

/// <summary>A gradient is right when walking a little along each parameter changes the loss by what it says.</summary>
public static class GradientCheck
{
    /// <summary>Where fp64 central differences are best: truncation (h²) and rounding (ε/h) both near 1e-10.</summary>
    private const double StepSize = 1e-5;

    /// <summary>Parameters beyond this many are sampled at even distances.</summary>
    private const int MaxChecked = 200;

    /// <summary>
    /// Compares a gradient with central differences (loss(x + h) − loss(x − h)) / 2h of an fp64 loss.
    /// </summary>
    /// <param name="name">What the parameters are, for the message.</param>
    /// <param name="at">Where the gradient was taken; left unchanged.</param>
    /// <param name="gradient">∂loss/∂at, one value per parameter.</param>
    /// <param name="loss">The loss at given parameters, in fp64.</param>
    /// <param name="tolerance">Largest difference, relative to the largest difference quotient.</param>
    public static void Check(
        string name, double[] at, double[] gradient, Func<double[], double> loss, double tolerance)
    {
        Assert.That(gradient, Has.Length.EqualTo(at.Length), $"one gradient per element of {name}");
        var stride = Math.Max(1, at.Length / MaxChecked);
        var places = Enumerable.Range(0, at.Length).Where(i => i % stride == 0).ToArray();
        var quotients = Array.ConvertAll(places, i => (Loss(i, StepSize) - Loss(i, -StepSize)) / (2 * StepSize));
        var scale = Math.Max(1e-6, quotients.Max(Math.Abs));
        for (var i = 0; i < places.Length; i++)
        {
            var (found, expected) = (gradient[places[i]], quotients[i]);
            Assert.That(
                Math.Abs(found - expected) / scale,
                Is.LessThanOrEqualTo(tolerance),
                $"d{name}[{places[i]}] is {found}, finite differences say {expected} (relative to {scale})");
        }

        double Loss(int i, double step)
        {
            var moved = (double[])at.Clone();
            moved[i] += step;
            return loss(moved);
        }
    }
}

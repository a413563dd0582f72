using SafeLlama.Testing;

namespace SafeLlama.Kernels.Tests;

/// <summary>What the tests of every op ask of one backend.</summary>
/// <remarks>An op under test is a function that makes its tensors, calls the op and returns the results.</remarks>
internal static class OpTests
{
    /// <summary>
    /// fp32 rounds at 6e-8; sums of a few thousand terms, taken in vectors, lose a factor of 20 to 30.
    /// </summary>
    public const double Single = 2e-6;

    /// <summary>
    /// The results on a backend equal those of the fp64 reference, relative to each result's largest number.
    /// </summary>
    public static void AgreesWithReference(string backend, Func<TestTensors, Tensor[]> op, double tolerance = Single) =>
        AgreesWithReference(Backends.Open(backend), op, tolerance);

    /// <summary>The same on a backend that is open, and closed here.</summary>
    public static void AgreesWithReference(IBackend backend, Func<TestTensors, Tensor[]> op, double tolerance)
    {
        var (found, expected) = (Results(backend, op), Results(new ReferenceBackend(), op));
        for (var t = 0; t < expected.Length; t++)
        {
            var scale = Math.Max(1e-6, expected[t].Values.Max(Math.Abs));
            for (var i = 0; i < expected[t].Values.Length; i++)
            {
                var (f, e) = (found[t].Values[i], expected[t].Values[i]);
                if (!(Math.Abs(f - e) <= tolerance * scale))
                {
                    Assert.Fail(
                        $"{expected[t].Name}[{i}] is {f}, the reference says {e} (tolerance {tolerance} · {scale})");
                }
            }
        }
    }

    /// <summary>A backend's gradients equal finite differences of the loss, taken on the fp64 reference.</summary>
    /// <param name="backend">Where the gradients come from.</param>
    /// <param name="loss">Forward, weighed to one number.</param>
    /// <param name="backward">Backward: each input's name and its gradient.</param>
    /// <param name="tolerance">Relative to the largest gradient of that input.</param>
    public static void AgreesWithFiniteDifferences(
        string backend,
        Func<TestTensors, double> loss,
        Func<TestTensors, (string Input, Tensor Gradient)[]> backward,
        double tolerance = Single)
    {
        using var opened = Backends.Open(backend);
        using var tensors = new TestTensors(opened) { GradientsStartAtZero = true };
        foreach (var (input, gradient) in backward(tensors))
        {
            GradientCheck.Check(input, tensors.Inputs[input], gradient.ReadDoubles(), Loss, tolerance);

            double Loss(double[] values)
            {
                using var reference = new TestTensors(new ReferenceBackend());
                reference.Replace(input, values);
                return loss(reference);
            }
        }
    }

    /// <summary>One thread, two, and more than there are cores give the same bytes.</summary>
    public static void IsTheSameForAnyThreadCount(Func<TestTensors, Tensor[]> op)
    {
        var one = Results(new CpuBackend(1), op);
        foreach (var threads in new[] { 2, 5 })
        {
            var more = Results(new CpuBackend(threads), op);
            for (var t = 0; t < one.Length; t++)
            {
                Assert.That(more[t].Values, Is.EqualTo(one[t].Values), $"{one[t].Name} with {threads} threads");
            }
        }
    }

    private static (string Name, double[] Values)[] Results(IBackend backend, Func<TestTensors, Tensor[]> op)
    {
        using (backend)
        {
            using var tensors = new TestTensors(backend);
            return Array.ConvertAll(op(tensors), tensor => (tensor.Name, tensor.ReadDoubles()));
        }
    }
}

namespace SafeLlama.Kernels.Tests;

/// <summary>What holds of every norm of rows.</summary>
internal abstract class NormTests(string backend)
{
    [TestCase(1, 8)]
    [TestCase(5, 123)]      // fills no vector and no group evenly
    [TestCase(7, 1024)]     // rows are padded
    [TestCase(7, 2048)]
    [TestCase(300, 260)]    // more than one tile
    public void Forward_agrees_with_reference(int rows, int dim) =>
        OpTests.AgreesWithReference(Backend, t => RunForward(t, rows, dim));

    [TestCase(DType.BFloat16)]
    [TestCase(DType.Float16)]
    public void Forward_widens_the_weights(DType type) =>
        OpTests.AgreesWithReference(Backend, t => RunForward(t, 3, 77, type));

    [TestCase(1, 8)]
    [TestCase(5, 123)]
    [TestCase(7, 1024)]
    [TestCase(7, 2048)]
    [TestCase(300, 260)]
    public void Backward_agrees_with_reference(int rows, int dim) =>
        OpTests.AgreesWithReference(Backend, t => [.. RunBackward(t, rows, dim).Select(g => g.Gradient)]);

    [Category("Gradient")]
    [TestCase(1, 8)]
    [TestCase(4, 21)]
    public void Backward_agrees_with_finite_differences(int rows, int dim) =>
        OpTests.AgreesWithFiniteDifferences(
            Backend, t => t.Weigh(RunForward(t, rows, dim)[0]), t => RunBackward(t, rows, dim));

    protected string Backend => backend;

    /// <summary>y, then what forward keeps.</summary>
    protected abstract Tensor[] RunForward(TestTensors t, int rows, int dim, DType? type = null);

    protected abstract (string Input, Tensor Gradient)[] RunBackward(TestTensors t, int rows, int dim);
}

using SafeLlama.Common;

namespace SafeLlama.Kernels.Tests;

/// <summary>
/// Sizes one below, at and one above every block of the CPU's matrix products: tile, panel, k-block, n-block.
/// </summary>
[TestFixtureSource(typeof(Backends), nameof(Backends.Simd))]
internal sealed class ProductEdgeTests(string backend)
{
    /// <summary>Sums over 4 000 terms may lose a little more than <see cref="OpTests.Single"/>.</summary>
    private const double Tolerance = 4e-6;

    /// <summary>Rows, inputs, outputs.</summary>
    private static readonly object[] Sizes =
    [
        .. Around(12, 32).Select(rows => new[] { rows, 48, 40 }),               // tiles of 4, 6, 8 and 12 rows
        .. Around(16, 32, 64).Select(outputs => new[] { 50, 64, outputs }),     // half and whole panels
        .. Around(16, 384, 768).Select(inputs => new[] { 40, inputs, 24 }),     // blocks of k
        .. Around(512, 1024).Select(outputs => new[] { 25, 20, outputs }),      // blocks of columns
        .. Around(16, 384).Select(rows => new[] { rows, 33, 35 }),              // k of the weight's gradient
        .. Around(4, 8).Select(rows => new[] { rows, 400, 13 }),                // dot products
    ];

    [TestCaseSource(nameof(Sizes))]
    public void Linear_agrees_with_reference_around_block_edges(int rows, int inputs, int outputs) =>
        OpTests.AgreesWithReference(
            backend,
            t =>
            [
                LinearTests.Forward(t, rows, inputs, outputs),
                .. LinearTests.Backward(t, rows, inputs, outputs, accumulate: false).Select(g => g.Gradient),
            ],
            Tolerance);

    [Test]
    public void Lora_agrees_with_reference_at_every_kind_of_rank(
        [Values(1, 2, 3, 7, 8, 16, 17, 24, 25, 33, 64, 256)] int rank, [Values(0, 0.25)] double dropout) =>
        OpTests.AgreesWithReference(
            backend,
            t =>
            [
                .. LoraTests.Forward(t, 70, 68, 45, rank, dropout),
                .. LoraTests.Backward(t, 70, 68, 45, rank, dropout).Select(g => g.Gradient),
            ],
            Tolerance);

    [Test]
    public void Lora_drops_the_same_elements_in_every_chunk_of_rows() =>
        OpTests.AgreesWithReference(
            backend, t => [.. LoraTests.Backward(t, 600, 37, 20, 4, 0.5).Select(g => g.Gradient)], Tolerance);

    [Test]
    public unsafe void Vectors_draw_the_factors_that_single_places_draw([Values(0, 4, 5, 1L << 34)] long place)
    {
        var dropout = new Dropout(0.3, Philox.Stream(7, "dropout"));
        var drawn = new float[83];
        fixed (float* factors = drawn)
        {
            DropoutCpu.Factors(dropout, place, drawn.Length, factors);
        }

        Assert.That(drawn, Is.EqualTo(Enumerable.Range(0, 83).Select(i => dropout.Factor(place + i))));
    }

    private static IEnumerable<int> Around(params int[] sizes) =>
        sizes.SelectMany(size => new[] { size - 1, size, size + 1 });
}

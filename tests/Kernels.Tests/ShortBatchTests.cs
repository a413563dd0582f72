namespace SafeLlama.Kernels.Tests;

/// <summary>The products of decoding: few rows, each of which must get what it gets alone.</summary>
[TestFixtureSource(typeof(Backends), nameof(Backends.Simd))]
internal sealed class ShortBatchTests(string backend)
{
    /// <summary>
    /// Inputs and outputs: odd ones, ones that fill vectors, padded rows, a few columns more than a tile.
    /// </summary>
    private static readonly object[] Sizes =
    [
        new[] { 7, 3 }, new[] { 123, 77 }, new[] { 256, 64 }, new[] { 1024, 13 }, new[] { 344, 257 },
    ];

    [TestCaseSource(nameof(Sizes))]
    public void Each_row_is_what_it_is_alone_bit_for_bit(int inputs, int outputs)
    {
        foreach (var type in new[] { DType.Float32, DType.BFloat16, DType.Float16 })
        {
            for (var rows = 2; rows <= 9; rows++)
            {
                using var opened = Backends.Open(backend);
                using var t = new TestTensors(opened);
                var (x, weight) = (t.Input("x", new(rows, inputs)), t.Input("weight", new(outputs, inputs), type));
                var (together, alone) = (
                    t.Output("together", new(rows, outputs)), t.Output("alone", new(rows, outputs)));
                opened.Linear.Forward(x, weight, together);
                for (var row = 0; row < rows; row++)
                {
                    opened.Linear.Forward(x.Slice(row, 1), weight, alone.Slice(row, 1));
                }

                Assert.That(together.ReadDoubles(), Is.EqualTo(alone.ReadDoubles()), $"{rows} rows, {type}");
            }
        }
    }

    [Test]
    public void Forward_agrees_with_reference(
        [Values(DType.Float32, DType.BFloat16)] DType type, [Values(1, 2, 3, 4, 6, 7, 8)] int rows,
        [Values] bool bias) =>
        OpTests.AgreesWithReference(backend, t => [LinearTests.Forward(t, rows, 260, 131, type, bias)]);

    [Test]
    public void One_thread_equals_two_bit_for_bit([Values(1, 2, 3, 8)] int rows) =>
        OpTests.IsTheSameForAnyThreadCount(t => [LinearTests.Forward(t, rows, 260, 530, DType.BFloat16)]);
}

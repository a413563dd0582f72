using SafeLlama.Kernels;
using SafeLlama.Kernels.Tests;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Quantized;

/// <summary>Blocks as the kernels of a GPU read them: in groups of four, and as PTX in groups of 256.</summary>
public sealed class GpuBlockTests
{
    private const int Columns = 256;
    private const int Outputs = 40;

    private static IEnumerable<string> Formats => ["Q8_0", "Q4_0", "Q4_K", "Q6_K", "NF4", "INT8"];

    /// <summary>
    /// One row is read by the product of few rows, 19 rows by tiles. Every sum has one order, so where the numbers are
    /// equal the bytes are.
    /// </summary>
    [Test]
    public void Products_over_blocks_have_the_bytes_of_products_over_decoded_weights(
        [ValueSource(nameof(Formats))] string format, [Values(1, 19)] int rows,
        [Values("emulated", "interpreted")] string device)
    {
        Compare(format, rows, device, Columns);
    }

    /// <summary>Rows of int8 may end within an eight.</summary>
    [Test]
    public void Rows_of_int8_may_end_anywhere_behind_four(
        [Values(1, 19)] int rows, [Values("emulated", "interpreted")] string device, [Values(4, 44)] int columns) =>
        Compare("INT8", rows, device, columns);

    private static void Compare(string format, int rows, string device, int columns)
    {
        using var interpreter = new PtxInterpreter();
        using var backend = device == "emulated" ? GpuBackend.OpenEmulated(DType.Float32, groupSize: 16)
            : GpuBackend.OpenInterpreted(DType.Float32, interpreter);
        AreEqual(backend, format, rows, DType.Float32, columns: columns);
    }

    /// <summary>Tensor cores round a decoded number to bf16, as they would find it in memory.</summary>
    [Test]
    public void Tensor_cores_decode_blocks_to_the_operands_that_bf16_weights_give(
        [ValueSource(nameof(Formats))] string format, [Values(19, 131)] int rows)
    {
        using var interpreter = new PtxInterpreter();
        using var backend = GpuBackend.OpenInterpreted(DType.BFloat16, interpreter);
        AreEqual(backend, format, rows, DType.BFloat16);
    }

    /// <summary>In decoding nothing is rounded: the product of few rows computes in fp32 whatever x is stored in.
    /// </summary>
    [Test]
    public void Decoding_in_bf16_reads_the_fp32_numbers_of_blocks([ValueSource(nameof(Formats))] string format)
    {
        using var interpreter = new PtxInterpreter();
        using var backend = GpuBackend.OpenInterpreted(DType.BFloat16, interpreter);
        AreEqual(backend, format, rows: 3, DType.Float32, backward: false);
    }

    [Test]
    public void A_row_of_an_embedding_is_decoded([ValueSource(nameof(Formats))] string format)
    {
        using var backend = GpuBackend.OpenEmulated(DType.Float32);
        using var memory = BlockWeights.Of(format, 5, Columns, out var weight);
        var table = backend.Import(memory, 0, new(5, Columns), weight, "table");
        using var arena = new Arena(backend, "embedding");
        var (tokens, y) = (arena.Take(new(2), DType.Int32, "tokens"), arena.Take(new(2, Columns), "y"));
        arena.Commit();
        tokens.Write([4, 1]);
        backend.Embedding.Forward(tokens, table, y);
        Assert.That(y.Slice(0, 1).ReadFloats(), Is.EqualTo(table.Slice(4, 1).ReadFloats()));
        Assert.That(y.Slice(1, 1).ReadFloats(), Is.EqualTo(table.Slice(1, 1).ReadFloats()));
    }

    [TestCase(96, 32, "NF4 whose rows 64 does not divide")]
    [TestCase(18, 18, "INT8 whose rows 4 does not divide")]
    public void A_format_without_kernels_is_not_read(int columns, int block, string what)
    {
        using var backend = GpuBackend.OpenEmulated(DType.Float32);
        WeightFormat format = block == 32 ? Nf4Format.Of(columns) : new Int8Format(columns, null);
        Assert.That(format.BlockSize, Is.EqualTo(block), what);
        Assert.That(backend.Reads(format), Is.False, what);
        Assert.That(backend.Reads(WeightFormat.BF16), Is.True);
    }

    private static void AreEqual(IBackend backend, string format, int rows, DType decodedAs, bool backward = true, int columns = Columns)
    {
        using var memory = BlockWeights.Of(format, Outputs, columns, out var weight);
        var blocks = backend.Import(memory, 0, new(Outputs, columns), weight, "blocks");
        using var arena = new Arena(backend, "product");
        var (x, decoded) = (arena.Take(new(rows, columns), "x"), arena.Take(blocks.Shape, decodedAs, "decoded"));
        var (y, expected) = (arena.Take(new(rows, Outputs), "y"), arena.Take(new(rows, Outputs), "expected"));
        var (dx, dxExpected) = (arena.Take(x.Shape, "dx"), arena.Take(x.Shape, "dx expected"));
        arena.Commit();
        x.Write(TinyLlama.Normal(rows * columns, seed: 7));
        decoded.Write(blocks.ReadFloats());
        backend.Linear.Forward(x, blocks, y);
        backend.Linear.Forward(x, decoded, expected);
        Assert.That(y.ReadFloats(), Is.EqualTo(expected.ReadFloats()));
        Assert.That(y.ReadFloats().Any(value => value != 0), Is.True);
        if (backward)
        {
            backend.Linear.BackwardInput(y, blocks, dx, accumulate: false);
            backend.Linear.BackwardInput(y, decoded, dxExpected, accumulate: false);
            Assert.That(dx.ReadFloats(), Is.EqualTo(dxExpected.ReadFloats()));
        }
    }
}

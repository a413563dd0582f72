using System.Runtime.Intrinsics.X86;
using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Quantized;

/// <summary>Products that read blocks in registers, in every layout and with vectors of every width.</summary>
public sealed class BlockProductTests
{
    private const int Columns = 512;
    private const int Outputs = 70;

    public static IEnumerable<string> Formats() =>
        ["Q8_0", "Q4_0", "Q4_K", "Q6_K", "NF4", "NF4 in parts of 32", "INT8", "Q5_0"];

    /// <summary>Rows of one to four are read from blocks; more rows decode them.</summary>
    [Test]
    public void Products_over_blocks_have_the_bytes_of_products_over_decoded_weights(
        [ValueSource(nameof(Formats))] string format, [Values(16, 8, 4)] int lanes, [Values(1, 2, 3, 4, 7)] int rows,
        [Values(1, 3)] int threads)
    {
        if (lanes == 16 && !Avx512F.IsSupported)
        {
            Assert.Ignore("This machine has no AVX-512.");
        }

        using var cpu = new CpuBackend(threads, lanes);
        var columns = format == "NF4 in parts of 32" ? 96 : Columns;
        var values = Array.ConvertAll(TinyLlama.Normal(Outputs * columns, seed: 6), value => (float)value);
        var (weight, bytes) = BlockWeights.Stored(format, values, columns);
        using var memory = new HostMemory(bytes.Length + 4096, "blocks");
        memory.Write(0, bytes);
        var blocks = cpu.Import(memory, 0, new(Outputs, columns), weight, "blocks");
        using var arena = new Arena(cpu, "product");
        var x = arena.Take(new(rows, columns), DType.Float32, "x");
        var plain = arena.Take(new(Outputs, columns), DType.Float32, "decoded");
        var y = arena.Take(new(rows, Outputs), DType.Float32, "y");
        var expected = arena.Take(new(rows, Outputs), DType.Float32, "expected");
        arena.Commit();
        x.Write(TinyLlama.Normal(rows * columns, seed: 7));
        plain.Write(blocks.ReadFloats());
        cpu.Linear.Forward(x, plain, expected);
        cpu.Linear.Forward(x, blocks, y);
        Assert.That(y.ReadFloats(), Is.EqualTo(expected.ReadFloats()));
    }

    /// <summary>Elements, scales of scales and signs of all bits, in rows that end within a group of four.</summary>
    [Test]
    public void Blocks_of_any_bits_are_multiplied_as_they_are_decoded(
        [Values(GgufType.Q8_0, GgufType.Q4_0, GgufType.Q4_K, GgufType.Q6_K)] GgufType type, [Values(1, 4)] int rows,
        [Values(16, 8, 4)] int lanes)
    {
        if (lanes == 16 && !Avx512F.IsSupported)
        {
            Assert.Ignore("This machine has no AVX-512.");
        }

        const int Some = Outputs + 1;
        var values = Array.ConvertAll(TinyLlama.Normal(Some * Columns, seed: 6), value => (float)value);
        var bytes = new byte[type.ByteCount(values.Length)];
        GgufBlocks.Encode(type, values, bytes);

        // Scales in fp16 stay as they are: files whose scales are not finite are refused.
        var (from, to) = type switch
        {
            GgufType.Q6_K => (0, 208),
            GgufType.Q4_K => (4, 144),
            _ => (2, type.BlockBytes()),
        };
        var noise = new Random(8);
        for (var block = 0; block < bytes.Length; block += type.BlockBytes())
        {
            noise.NextBytes(bytes.AsSpan((block + from)..(block + to)));
        }

        using var cpu = new CpuBackend(2, lanes);
        using var memory = new HostMemory(bytes.Length, "blocks");
        memory.Write(0, bytes);
        var blocks = cpu.Import(memory, 0, new(Some, Columns), GgufBlockFormat.Of(type), "blocks");
        using var arena = new Arena(cpu, "product");
        var x = arena.Take(new(rows, Columns), DType.Float32, "x");
        var plain = arena.Take(new(Some, Columns), DType.Float32, "decoded");
        var y = arena.Take(new(rows, Some), DType.Float32, "y");
        var expected = arena.Take(new(rows, Some), DType.Float32, "expected");
        arena.Commit();
        x.Write(TinyLlama.Normal(rows * Columns, seed: 7));
        plain.Write(blocks.ReadFloats());
        foreach (var residual in new[] { false, true })
        {
            cpu.Linear.Forward(x, plain, null, residual ? new(Residual: expected) : default, expected);
            cpu.Linear.Forward(x, blocks, null, residual ? new(Residual: y) : default, y);
            Assert.That(y.ReadFloats(), Is.EqualTo(expected.ReadFloats()), $"residual: {residual}");
        }
    }

    /// <summary>What decoding side by side rests on.</summary>
    [Test]
    public void Independent_rows_have_the_bytes_that_they_have_alone([ValueSource(nameof(Formats))] string format)
    {
        using var cpu = new CpuBackend(2);
        var (rows, columns) = (cpu.Linear.IndependentRows, format == "NF4 in parts of 32" ? 96 : Columns);
        var values = Array.ConvertAll(TinyLlama.Normal(Outputs * columns, seed: 6), value => (float)value);
        var (weight, bytes) = BlockWeights.Stored(format, values, columns);
        using var memory = new HostMemory(bytes.Length + 4096, "blocks");
        memory.Write(0, bytes);
        var blocks = cpu.Import(memory, 0, new(Outputs, columns), weight, "blocks");
        using var arena = new Arena(cpu, "product");
        var x = arena.Take(new(rows, columns), DType.Float32, "x");
        var together = arena.Take(new(rows, Outputs), DType.Float32, "together");
        var alone = arena.Take(new(rows, Outputs), DType.Float32, "alone");
        arena.Commit();
        x.Write(TinyLlama.Normal(rows * columns, seed: 7));
        cpu.Linear.Forward(x, blocks, together);
        for (var row = 0; row < rows; row++)
        {
            cpu.Linear.Forward(x.Slice(row, 1), blocks, alone.Slice(row, 1));
        }

        Assert.That(together.ReadFloats(), Is.EqualTo(alone.ReadFloats()));
    }

    [Test]
    public void A_part_of_a_row_is_decoded_as_in_the_whole_row([ValueSource(nameof(Formats))] string format)
    {
        var (weight, bytes) = BlockWeights.Stored(
            format, Array.ConvertAll(TinyLlama.Normal(Columns, seed: 3), value => (float)value), Columns);
        var whole = new float[Columns];
        weight.Decode(bytes, 0, whole);
        foreach (var (first, count) in new[] { (0, 1), (31, 2), (33, 300), (255, 257), (511, 1), (5, 3) })
        {
            var part = new float[count];
            weight.Decode(bytes, first, part);
            Assert.That(part, Is.EqualTo(whole[first..(first + count)]), $"{count} from {first}");
        }
    }

    /// <summary>Sixteen bits of operands: a block that is decoded gives the panels of its decoded numbers.</summary>
    [TestCase("NF4")]
    [TestCase("INT8")]
    public void Bf16_products_over_blocks_have_the_bytes_of_products_over_decoded_weights(string format)
    {
        using var cpu = new CpuBackend(2, DType.BFloat16);
        var values = Array.ConvertAll(TinyLlama.Normal(Outputs * Columns, seed: 6), value => (float)value);
        var (weight, bytes) = BlockWeights.Stored(format, values, Columns);
        using var memory = new HostMemory(bytes.Length, "blocks");
        memory.Write(0, bytes);
        var blocks = cpu.Import(memory, 0, new(Outputs, Columns), weight, "blocks");
        using var arena = new Arena(cpu, "product");
        var (dense, x) = (new Shape(150, Outputs), new Shape(150, Columns));
        var (input, decoded) = (arena.Take(x, DType.Float32, "x"), arena.Take(blocks.Shape, DType.Float32, "w"));
        var (y, expected) = (arena.Take(dense, DType.Float32, "y"), arena.Take(dense, DType.Float32, "expected"));
        var (dx, dxExpected) = (arena.Take(x, DType.Float32, "dx"), arena.Take(x, DType.Float32, "dx expected"));
        arena.Commit();
        input.Write(TinyLlama.Normal((int)x.Count, seed: 7));
        decoded.Write(blocks.ReadFloats());
        cpu.Linear.Forward(input, blocks, y);
        cpu.Linear.Forward(input, decoded, expected);
        Assert.That(y.ReadFloats(), Is.EqualTo(expected.ReadFloats()));
        cpu.Linear.BackwardInput(y, blocks, dx, accumulate: false);
        cpu.Linear.BackwardInput(y, decoded, dxExpected, accumulate: false);
        Assert.That(dx.ReadFloats(), Is.EqualTo(dxExpected.ReadFloats()));
    }
}

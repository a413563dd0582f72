using System.Runtime.InteropServices;
using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Quantized;

/// <summary>
/// Matrices of many shapes and sizes of numbers beside bitsandbytes' definitions, written once more as plain fp64
/// loops.
/// </summary>
public sealed class QuantizedPropertyTests
{
    /// <summary>fp32 rounds a scaled number, a step's inverse and a middle: a few times 2⁻²⁴.</summary>
    private const double AtATie = 1e-6;

    private string _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = TestFiles.NewFolder();

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Nf4_takes_the_nearest_value_of_every_block([Range(1, 24)] int seed)
    {
        var (rows, columns, values) = Matrix(seed);
        using var file = Stored(values, rows, columns);
        var matrix = QuantizedRows.ToNf4(file, file.Entries["w"]);
        var format = Nf4Format.Of(columns);
        var stored = new byte[format.Bytes(new(rows, columns))];
        format.Pack(matrix.Packed, matrix.Absmax, stored);
        var decoded = Decoded(format, stored, rows, columns);
        for (var first = 0; first < values.Length; first += 64)
        {
            var block = values.AsSpan(first, Math.Min(64, values.Length - first)).ToArray();
            var most = block.Max(Math.Abs);
            Assert.That(matrix.Absmax[first / 64], Is.EqualTo(most), $"absmax of block {first / 64}");
            for (var i = 0; i < block.Length; i++)
            {
                if (most == 0)
                {
                    Assert.That(decoded[first + i], Is.Zero);
                    continue;
                }

                var code = decoded[first + i] / (double)most;
                var scaled = block[i] / (double)most;
                var nearest = Nf4Format.Values.ToArray().Min(value => Math.Abs(value - scaled));

                // A denormal product keeps fewer bits than a value has.
                var tolerance = AtATie + (float.Epsilon / (double)most);
                Assert.That(Math.Abs(code - scaled), Is.EqualTo(nearest).Within(tolerance), $"{first + i} of {seed}");
            }
        }
    }

    [Test]
    public void Int8_rounds_every_row_to_the_nearest_step([Range(1, 24)] int seed)
    {
        var (rows, columns, values) = Matrix(seed);
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Math.Clamp(values[i], -60000, 60000);       // int8 passes through fp16
        }

        using var file = Stored(values, rows, columns);
        var format = new Int8Format(columns, threshold: null);
        using var memory = new HostMemory(format.Bytes(new(rows, columns)), "rows");
        QuantizedRows.ToInt8(file, file.Entries["w"], memory);
        var stored = new byte[memory.ByteCount];
        memory.Read(0, stored);
        for (var row = 0; row < rows; row++)
        {
            var halves = values.AsSpan(row * columns, columns).ToArray().Select(v => (double)(Half)v).ToArray();
            var most = halves.Max(Math.Abs);
            var bytes = stored.AsSpan(row * format.BlockBytes, format.BlockBytes);
            Assert.That(MemoryMarshal.Read<float>(bytes), Is.EqualTo(most), $"absmax of row {row}");
            for (var i = 0; i < columns; i++)
            {
                var step = most == 0 ? 0 : halves[i] * 127 / most;
                Assert.That(
                    (double)(sbyte)bytes[Int8Format.ScaleBytes + i],
                    Is.EqualTo(step).Within(0.5 + (127 * AtATie)), $"[{row}, {i}] of {seed}");
            }
        }
    }

    /// <summary>What is decoded is what products see, forward and back, in every shape, with and without activations
    /// in bytes.</summary>
    [Test]
    public void Products_over_quantized_weights_agree_with_reference(
        [Range(1, 12)] int seed, [Values("nf4", "int8", "int8-activations")] string form)
    {
        var (rows, columns, values) = Matrix(seed);
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Math.Clamp(values[i], -1000, 1000);
        }

        using var file = Stored(values, rows, columns);
        var (format, memory) = Packed(file, rows, columns, form);
        using (memory)
        {
            var (x, dy) = (Inputs(seed, 5, columns), Inputs(seed + 100, 5, rows));
            using var cpu = new CpuBackend(2);
            using var reference = new ReferenceBackend();
            var (y, dx) = Product(cpu, memory, format, x, dy, (rows, columns));
            var (expectedY, expectedDx) = Product(reference, memory, format, x, dy, (rows, columns));
            AreClose(y, expectedY);
            AreClose(dx, expectedDx);
        }
    }

    [TestCase(float.NaN)]
    [TestCase(float.PositiveInfinity)]
    [TestCase(float.NegativeInfinity)]
    public void A_number_that_is_none_is_refused_with_its_place(float value)
    {
        var values = new float[3 * 70];
        values[141] = value;
        using var file = Stored(values, 3, 70);
        using var memory = new HostMemory(new Int8Format(70, null).Bytes(new(3, 70)), "rows");
        Assert.That(
            () => QuantizedRows.ToNf4(file, file.Entries["w"]),
            Throws.InstanceOf<SafeLlamaException>().With.Message.Contains("not finite at element 141"));
        Assert.That(
            () => QuantizedRows.ToInt8(file, file.Entries["w"], memory),
            Throws.InstanceOf<SafeLlamaException>().With.Message.Contains("not finite at element 141"));
    }

    [Test]
    public void Nested_absmax_values_are_the_nearest_of_their_map([Range(1, 12)] int seed)
    {
        var stream = Philox.Stream(seed, "absmax");
        var count = 1 + stream.Below(0, 700);
        var scale = Math.Pow(10, stream.Below(1, 9) - 6);
        float[] absmax = [.. Enumerable.Range(0, count).Select(i => (float)(scale * Math.Abs(stream.Normal(i + 2))))];
        var nested = Nf4Quantizer.Nest(absmax);
        var map = DynamicMap.Values.ToArray();
        var decoded = Nf4Quantizer.Unnest(nested, map);
        for (var i = 0; i < count; i++)
        {
            var block = absmax.AsSpan(i / 256 * 256, Math.Min(256, count - (i / 256 * 256))).ToArray();
            var most = block.Max(value => Math.Abs(value - nested.Offset));
            var nearest = most == 0 ? 0 : map.Min(value => Math.Abs((value * most) - (absmax[i] - nested.Offset)));
            Assert.That(
                Math.Abs(decoded[i] - absmax[i]), Is.EqualTo(nearest).Within(AtATie * (most + Math.Abs(nested.Offset))),
                $"{i} of {count}");
        }
    }

    /// <summary>Shapes of one row, one column, odd and even; numbers ordinary, large, tiny, denormal, or all zero.
    /// </summary>
    private static (int Rows, int Columns, float[] Values) Matrix(int seed)
    {
        var stream = Philox.Stream(seed, "shape");
        var rows = seed % 6 == 0 ? 1 : 1 + stream.Below(0, 20);
        var columns = seed % 6 == 1 ? 1 : seed % 6 == 2 ? 64 * (1 + stream.Below(1, 3)) : 1 + stream.Below(1, 300);
        float[] scales = [1, 1e-2f, 3e4f, 1e-12f, 1e-41f, 1e30f, 0];
        var values = new float[rows * columns];
        for (var i = 0; i < values.Length; i++)
        {
            var kind = (int)((uint)((i / 32 * 7919) + seed) % (uint)scales.Length);
            var value = (float)(stream.Normal(i + 10) * scales[kind]);
            values[i] = i % 11 == 3 ? 0 : value;
        }

        return (rows, columns, values);
    }

    private SafetensorsFile Stored(float[] values, int rows, int columns)
    {
        var path = Path.Combine(_folder, $"{rows}x{columns}.safetensors");
        SafetensorsWriter.Write(
            path, [SafetensorsItem.Raw("w", "F32", new(rows, columns), () => MemoryMarshal.AsBytes<float>(values).ToArray())],
            new Dictionary<string, string>());
        return SafetensorsFile.Open(path);
    }

    private static (WeightFormat Format, HostMemory Memory) Packed(
        SafetensorsFile file, int rows, int columns, string form)
    {
        WeightFormat format = form == "nf4" ? Nf4Format.Of(columns)
            : new Int8Format(columns, form == "int8" ? null : 6);
        var memory = new HostMemory(format.Bytes(new(rows, columns)), "rows");
        if (format is Nf4Format nf4)
        {
            var matrix = QuantizedRows.ToNf4(file, file.Entries["w"]);
            var stored = new byte[memory.ByteCount];
            nf4.Pack(matrix.Packed, matrix.Absmax, stored);
            memory.Write(0, stored);
        }
        else
        {
            QuantizedRows.ToInt8(file, file.Entries["w"], memory);
        }

        return (format, memory);
    }

    private static (double[] Y, double[] Dx) Product(
        IBackend backend, HostMemory memory, WeightFormat format, double[] x, double[] dy, (int Rows, int Columns) size)
    {
        var weight = backend.Import(memory, 0, new(size.Rows, size.Columns), format, "w");
        using var arena = new Arena(backend, "product");
        var (input, output) = (arena.Take(new(5, size.Columns), "x"), arena.Take(new(5, size.Rows), "y"));
        var (back, dx) = (arena.Take(output.Shape, "dy"), arena.Take(input.Shape, "dx"));
        arena.Commit();
        input.Write(x);
        back.Write(dy);
        backend.Linear.Forward(input, weight, output);
        backend.Linear.BackwardInput(back, weight, dx, accumulate: false);
        return (output.ReadDoubles(), dx.ReadDoubles());
    }

    /// <summary>Numbers of fp16, some beyond the threshold, so that no backend rounds one the other way.</summary>
    private static double[] Inputs(int seed, int rows, int columns)
    {
        var stream = Philox.Stream(seed, "x");
        return [.. Enumerable.Range(0, rows * columns).Select(
            i => (double)(Half)(stream.Normal(i) * (i % columns % 29 == 7 ? 8 : 1)))];
    }

    private static float[] Decoded(WeightFormat format, byte[] stored, int rows, int columns)
    {
        var (values, rowBytes) = (new float[rows * columns], (int)format.RowBytes(columns));
        for (var row = 0; row < rows; row++)
        {
            format.Decode(stored.AsSpan(row * rowBytes, rowBytes), 0, values.AsSpan(row * columns, columns));
        }

        return values;
    }

    /// <summary>fp32 sums of some hundred terms, relative to the largest.</summary>
    private static void AreClose(double[] found, double[] expected)
    {
        var tolerance = 4e-6 * Math.Max(1e-30, expected.Max(Math.Abs));
        for (var i = 0; i < expected.Length; i++)
        {
            if (!(Math.Abs(found[i] - expected[i]) <= tolerance))
            {
                Assert.Fail($"element {i} is {found[i]}, the reference says {expected[i]} (tolerance {tolerance})");
            }
        }
    }
}

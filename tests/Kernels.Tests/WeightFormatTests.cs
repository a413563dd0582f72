using System.Runtime.InteropServices;

namespace SafeLlama.Kernels.Tests;

/// <summary>
/// A format of blocks that nothing in the kernels knows: all they have is its sizes and its decoding.
/// </summary>
[TestFixtureSource(typeof(Backends), nameof(Backends.All))]
internal sealed class WeightFormatTests(string backend)
{
    private const int Inputs = 392;

    private readonly List<HostMemory> _memory = [];

    [TearDown]
    public void Free() => _memory.ForEach(memory => memory.Dispose());

    /// <summary>
    /// Few rows are dot products, many are packed; 77 and 530 columns fill no panel and more than a block.
    /// </summary>
    [Test]
    public void Products_agree_with_reference([Values(1, 3, 9, 70)] int rows, [Values(77, 530)] int outputs) =>
        OpTests.AgreesWithReference(
            backend,
            t =>
            {
                var weight = Weight(t.Backend, outputs, Inputs);
                var (x, dy) = (t.Input("x", new(rows, Inputs)), t.Input("dy", new(rows, outputs)));
                var (y, dx) = (t.Output("y", dy.Shape), t.Output("dx", x.Shape));
                t.Backend.Linear.Forward(x, weight, y);
                t.Backend.Linear.BackwardInput(dy, weight, dx, accumulate: false);
                return [y, dx];
            });

    [Test]
    public void Forward_gives_the_bytes_of_the_decoded_weight([Values(1, 3, 9, 70)] int rows)
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var weight = Weight(opened, 77, Inputs);
        var decoded = t.Input("decoded", weight.Shape, weight.ReadDoubles(), opened.Accumulation);
        var x = t.Input("x", new(rows, Inputs));
        var (y, expected) = (t.Output("y", new(rows, 77)), t.Output("expected", new(rows, 77)));
        opened.Linear.Forward(x, weight, y);
        opened.Linear.Forward(x, decoded, expected);
        Assert.That(y.ReadDoubles(), Is.EqualTo(expected.ReadDoubles()));
    }

    [Test]
    public void A_row_of_an_embedding_is_decoded()
    {
        using var opened = Backends.Open(backend);
        using var t = new TestTensors(opened);
        var (weight, y) = (Weight(opened, 5, 24), t.Output("y", new(2, 24)));
        opened.Embedding.Forward(t.Ints("tokens", 4, 1), weight, y);
        Assert.That(y.Slice(0, 1).ReadDoubles(), Is.EqualTo(weight.Slice(4, 1).ReadDoubles()));
        Assert.That(y.Slice(1, 1).ReadDoubles(), Is.EqualTo(weight.Slice(1, 1).ReadDoubles()));
    }

    [Test]
    public void A_tensor_counts_the_bytes_of_its_blocks()
    {
        using var opened = Backends.Open(backend);
        var weight = Weight(opened, 5, 24);
        Assert.That(weight.ByteCount, Is.EqualTo(5 * 3 * 12));
        Assert.That(weight.Slice(2, 1).ByteOffset, Is.EqualTo(2 * 3 * 12));
        Assert.That(() => weight.Type.Size(), Throws.ArgumentException);
        Assert.That(
            () => Eights.Format.RowBytes(23),
            Throws.ArgumentException.With.Message.EqualTo(
                "Rows of 23 are no whole blocks of 8, as EIGHTS stores them."));
    }

    [TestCase(DType.Float32, "F32", 4)]
    [TestCase(DType.BFloat16, "BF16", 2)]
    [TestCase(DType.Float16, "F16", 2)]
    public void Elements_that_stand_alone_decode_from_anywhere(DType type, string name, int size)
    {
        var format = WeightFormat.Of(type);
        double[] values = [.. Enumerable.Range(0, 37).Select(i => (i - 18) / 4.0)];
        var row = new byte[37 * size];
        TensorConvert.FromDoubles(values, type, row);
        var decoded = new float[20];
        format.Decode(row, 11, decoded);
        Assert.That((format.Name, format.BlockSize, format.BlockBytes), Is.EqualTo((name, 1, size)));
        Assert.That(decoded, Is.EqualTo(values[11..31]));
    }

    private Tensor Weight(IBackend opened, int rows, int columns)
    {
        var values = new TestTensors(new ReferenceBackend()).Input("weight", new(rows, columns)).ReadDoubles();
        var bytes = Eights.Encode(values);
        var memory = new HostMemory(bytes.Length, "blocks");
        memory.Write(0, bytes);
        _memory.Add(memory);
        return opened.Import(memory, 0, new(rows, columns), Eights.Format, "weight");
    }

    /// <summary>Eight numbers of a byte each, and the scale that they share.</summary>
    private sealed class Eights : WeightFormat
    {
        public static Eights Format { get; } = new();

        public override string Name => "EIGHTS";

        public override int BlockSize => 8;

        public override int BlockBytes => 12;

        public static byte[] Encode(double[] values)
        {
            var bytes = new byte[values.Length / 8 * 12];
            for (var block = 0; block < values.Length / 8; block++)
            {
                var scale = (float)values.AsSpan(block * 8, 8).ToArray().Max(Math.Abs) / 127;
                MemoryMarshal.Write(bytes.AsSpan(block * 12), scale);
                for (var i = 0; i < 8; i++)
                {
                    bytes[(block * 12) + 4 + i] = (byte)(sbyte)Math.Round(values[(block * 8) + i] / scale);
                }
            }

            return bytes;
        }

        public override void Decode(ReadOnlySpan<byte> row, int first, Span<float> values)
        {
            for (var i = 0; i < values.Length; i++)
            {
                var block = row.Slice((first + i) / 8 * 12, 12);
                values[i] = MemoryMarshal.Read<float>(block) * (sbyte)block[4 + ((first + i) % 8)];
            }
        }
    }
}

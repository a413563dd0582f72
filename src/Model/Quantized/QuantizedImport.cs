using System.Runtime.InteropServices;
using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>The linears of a model, quantized as a checkpoint is read, or read from one that is quantized.</summary>
/// <remarks>
/// One tensor at a time: what is held is the quantized model and the tensor at hand. A device that has no kernels for
/// such a format gets the decoded numbers.
/// </remarks>
internal sealed unsafe class QuantizedImport(
    CheckpointFiles files, IBackend backend, LoadForm form, Quantization? stored)
    : IDisposable
{
    private readonly List<HostMemory> _owned = [];

    /// <summary>Bytes of weights that a device holds decoded, since it has no kernels for their blocks.</summary>
    public long DecodedBytes { get; private set; }

    /// <summary>A tensor that is quantized, or becomes so; null where it stays as it is stored.</summary>
    /// <exception cref="SafeLlamaException">It is missing, misshapen, or holds what cannot be quantized.</exception>
    public Tensor? Import(WeightShape expected)
    {
        if (QuantizedFormats.Of(files, expected, form, stored) is not { } format)
        {
            return null;
        }

        var isStored = stored is not null;
        var rows = new HostMemory(format.Bytes(expected.Shape), $"tensor '{expected.Name}'");
        _owned.Add(rows);
        if (format is Nf4Format nf4)
        {
            var matrix = isStored ? BitsAndBytes.ReadNf4(files, expected) : Quantize(expected);
            nf4.Pack(matrix.Packed, matrix.Absmax, new Span<byte>(rows.Pointer, checked((int)rows.ByteCount)));
        }
        else if (isStored)
        {
            BitsAndBytes.ReadInt8(files, expected, rows);
        }
        else
        {
            var (file, entry) = LlamaWeights.Find(files, expected, backend);
            QuantizedRows.ToInt8(file, entry, rows);
        }

        if (!backend.Reads(format))
        {
            return Decoded(rows, expected, format);
        }

        var tensor = backend.Import(rows, 0, expected.Shape, format, expected.Name);
        if (backend is GpuBackend)
        {
            // The device has its copy.
            _owned.Remove(rows);
            rows.Dispose();
        }

        return tensor;
    }

    public void Dispose() => _owned.ForEach(memory => memory.Dispose());

    private Nf4Matrix Quantize(WeightShape expected)
    {
        var (file, entry) = LlamaWeights.Find(files, expected, backend);
        var matrix = QuantizedRows.ToNf4(file, entry);
        return form.Nested
            ? matrix with { Absmax = Nf4Quantizer.Unnest(Nf4Quantizer.Nest(matrix.Absmax), DynamicMap.Values) }
            : matrix;
    }

    private Tensor Decoded(HostMemory rows, WeightShape expected, WeightFormat format)
    {
        var (count, columns) = expected.Shape.AsMatrix();
        using var decoded = new HostMemory(expected.Shape.Count * sizeof(float), $"tensor '{expected.Name}'");
        var rowBytes = format.RowBytes(columns);
        var values = new float[columns];
        for (var row = 0; row < count; row++)
        {
            format.Decode(new(rows.Pointer + (row * rowBytes), (int)rowBytes), 0, values);
            decoded.Write((long)row * columns * sizeof(float), MemoryMarshal.AsBytes<float>(values));
        }

        _owned.Remove(rows);
        rows.Dispose();
        DecodedBytes += decoded.ByteCount;
        return backend.Import(decoded, 0, expected.Shape, WeightFormat.F32, expected.Name);
    }
}

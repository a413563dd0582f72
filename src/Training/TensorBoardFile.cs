using System.Buffers.Binary;
using System.Text;
using SafeLlama.Common;

namespace SafeLlama.Training;

/// <summary>Writes scalars to a TensorBoard event file, record by record.</summary>
/// <remarks>
/// A record is <c>length u64 · masked CRC-32C of the length u32 · payload · masked CRC-32C of the payload u32</c>,
/// little-endian; the payload is the protocol-buffer message <c>Event</c> (TensorFlow, <c>core/util/event.proto</c> and
/// <c>core/framework/summary.proto</c>), of which four fields are written.
/// </remarks>
public sealed class TensorBoardFile : IDisposable
{
    private readonly FileStream _stream;
    private readonly TimeProvider _clock;

    /// <param name="path">Its name must hold <c>tfevents</c> for TensorBoard to find it.</param>
    public TensorBoardFile(string path, TimeProvider clock)
    {
        _clock = clock;
        _stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read);
        Write(Event(step: 0, field: 3, Encoding.ASCII.GetBytes("brain.Event:2")));
    }

    /// <summary>Appends one value.</summary>
    public void Scalar(int step, string tag, double value)
    {
        var number = new byte[5];
        number[0] = (2 << 3) | 5;                                         // Summary.Value.simple_value, fixed32
        BinaryPrimitives.WriteSingleLittleEndian(number.AsSpan(1), (float)value);
        byte[] entry = [.. Field(1, Encoding.UTF8.GetBytes(tag)), .. number];   // Summary.Value.tag
        Write(Event(step, field: 5, Field(1, entry)));                    // Event.summary, Summary.value
    }

    /// <exception cref="SafeLlamaException">The disk is full, or gone.</exception>
    public void Flush() => Guarded(_stream.Flush);

    public void Dispose() => _stream.Dispose();

    /// <summary>CRC-32C, rotated and offset so that a checksum of checksums does not cancel (the TFRecord format's
    /// mask).</summary>
    public static uint MaskedCrc(ReadOnlySpan<byte> bytes)
    {
        var crc = ~0u;
        foreach (var b in bytes)
        {
            crc = System.Numerics.BitOperations.Crc32C(crc, b);
        }

        crc = ~crc;
        return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
    }

    private byte[] Event(int step, int field, byte[] content)
    {
        var time = new byte[9];
        time[0] = (1 << 3) | 1;                                           // Event.wall_time, fixed64
        BinaryPrimitives.WriteDoubleLittleEndian(time.AsSpan(1), _clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0);
        return [.. time, (2 << 3) | 0, .. Varint((ulong)step), .. Field(field, content)];
    }

    private static byte[] Field(int number, byte[] content) =>
        [(byte)((number << 3) | 2), .. Varint((ulong)content.Length), .. content];

    private static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7)
        {
            bytes.Add((byte)(value | 0x80));
        }

        return [.. bytes, (byte)value];
    }

    private void Write(byte[] payload)
    {
        Span<byte> head = stackalloc byte[12];
        BinaryPrimitives.WriteUInt64LittleEndian(head, (ulong)payload.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(head[8..], MaskedCrc(head[..8]));
        Span<byte> tail = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(tail, MaskedCrc(payload));
        byte[] record = [.. head, .. payload, .. tail];
        Guarded(() => _stream.Write(record));
    }

    private void Guarded(Action write)
    {
        try
        {
            write();
        }
        catch (IOException e)
        {
            throw SafeLlamaException.Failure(
                $"{_stream.Name}: cannot be written: {FileErrors.Reason(e, _stream.Name)} "
                + "The last checkpoint is whole.", e);
        }
    }
}

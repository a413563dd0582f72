using System.Buffers.Binary;
using System.Text;

namespace SafeLlama.Distributed;

/// <summary>What ranks tell each other beside their work.</summary>
internal enum ControlKind : byte
{
    Alive,

    /// <summary>This rank has failed; rank 0 tells the user and ends all.</summary>
    Failed,

    /// <summary>This rank has done its work; rank 0's ends the others.</summary>
    Done,
}

/// <summary>A control message: all have one length, so that they can be awaited.</summary>
/// <param name="Code">Of a failure: the exit code; of rank 0's end: how many ranks were lost.</param>
internal sealed record ControlMessage(ControlKind Kind, int Code = 0, string Text = "")
{
    public const int ByteCount = 2048;

    private const int Header = 9;

    public byte[] ToBytes()
    {
        var bytes = new byte[ByteCount];
        var text = Encoding.UTF8.GetBytes(Text);
        var length = Math.Min(text.Length, ByteCount - Header);
        bytes[0] = (byte)Kind;
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(1), Code);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(5), length);
        text.AsSpan(0, length).CopyTo(bytes.AsSpan(Header));
        return bytes;
    }

    public static ControlMessage Read(ReadOnlySpan<byte> bytes) => new(
        (ControlKind)bytes[0],
        BinaryPrimitives.ReadInt32LittleEndian(bytes[1..]),
        Encoding.UTF8.GetString(bytes.Slice(Header, BinaryPrimitives.ReadInt32LittleEndian(bytes[5..]))));
}

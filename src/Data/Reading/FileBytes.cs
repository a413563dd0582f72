using System.IO.Compression;
using System.Security.Cryptography;
using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>The bytes of a data file, unpacked if it is gzipped.</summary>
/// <param name="Content">The unpacked bytes.</param>
/// <param name="Sha256">Hash of the file as it lies on disk.</param>
/// <param name="Fault">Why it could not be unpacked; null where it could.</param>
internal sealed record FileBytes(ReadOnlyMemory<byte> Content, string Sha256, string? Fault)
{
    /// <summary>The most bytes a file may hold once unpacked: what one array can.</summary>
    public static long Most { get; } = Array.MaxLength;

    /// <exception cref="SafeLlamaException">
    /// The file is missing, cannot be read, or is too large for one array.
    /// </exception>
    public static FileBytes Read(string path)
    {
        if (Directory.Exists(path))
        {
            throw SafeLlamaException.Usage($"{path}: is a folder, expected a data file.");
        }

        if (!File.Exists(path))
        {
            throw SafeLlamaException.Usage($"{path}: no such file; nothing is downloaded.");
        }

        try
        {
            var bytes = FileFacts.Length(path) <= Most ? File.ReadAllBytes(path) : throw TooLarge(path);
            GitPointer.Refuse(path, bytes);
            var hash = Convert.ToHexStringLower(SHA256.HashData(bytes));
            return bytes is [0x1F, 0x8B, ..] ? Unpack(path, bytes, hash) : new FileBytes(bytes, hash, Fault: null);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw SafeLlamaException.Failure($"{path}: cannot be read: {FileErrors.Reason(e, path)}", e);
        }
    }

    private static FileBytes Unpack(string path, byte[] packed, string hash)
    {
        var content = new MemoryStream();
        try
        {
            using var gzip = new GZipStream(new MemoryStream(packed), CompressionMode.Decompress);
            var buffer = new byte[1 << 16];
            int read;
            while ((read = gzip.Read(buffer)) > 0)
            {
                if (content.Length + read > Most)
                {
                    throw TooLarge(path);
                }

                content.Write(buffer, 0, read);
            }
        }
        catch (InvalidDataException)
        {
            return new FileBytes(default, hash, "is damaged: its gzip stream cannot be unpacked.");
        }

        var unpacked = content.GetBuffer().AsMemory(0, (int)content.Length);
        return EndsWithItsLength(packed, unpacked.Length)
            ? new FileBytes(unpacked, hash, Fault: null)
            : new FileBytes(default, hash, "is damaged: its gzip stream ends too soon.");
    }

    /// <summary>A gzip member ends with its unpacked length modulo 2³² (RFC 1952, ISIZE); a cut one does not.</summary>
    private static bool EndsWithItsLength(byte[] packed, long length)
    {
        var stated = packed.Length >= 18 ? BitConverter.ToUInt32(packed, packed.Length - 4) : uint.MaxValue;
        return stated == (uint)length || stated <= length && HoldsSeveralMembers(packed);
    }

    /// <summary>Gzip files may be joined end to end; the last length is then that of the last member alone.</summary>
    private static bool HoldsSeveralMembers(ReadOnlySpan<byte> packed) =>
        packed[1..].IndexOf((ReadOnlySpan<byte>)[0x1F, 0x8B, 0x08]) >= 0;

    private static SafeLlamaException TooLarge(string path) => SafeLlamaException.DoesNotFit(
        $"{path}: holds more than {Most / 1_000_000_000.0:0.0} GB once unpacked; split it into several files.");
}

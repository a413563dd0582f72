using System.IO.MemoryMappedFiles;

namespace SafeLlama.Kernels;

/// <summary>Memory with machine code that is executable and not writable.</summary>
/// <remarks>
/// The code is written through one view of an unnamed mapping; that view is closed before a second one is opened that
/// may be run and read. No page is writable and executable at once. It uses no platform calls, so the same code runs on
/// Linux, Windows and macOS on x86-64.
/// </remarks>
internal sealed unsafe class CodeMemory : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;

    private CodeMemory(MemoryMappedFile file, MemoryMappedViewAccessor view)
    {
        (_file, _view) = (file, view);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        Start = start + view.PointerOffset;
    }

    /// <summary>The first byte of the code.</summary>
    public byte* Start { get; }

    /// <summary>Maps the code; null, with the reason, where the system refuses executable memory.</summary>
    public static CodeMemory? TryMap(ReadOnlySpan<byte> code, out string? reason)
    {
        MemoryMappedFile? file = null;
        try
        {
            file = MemoryMappedFile.CreateNew(null, code.Length, MemoryMappedFileAccess.ReadWriteExecute);
            using (var writable = file.CreateViewStream(0, code.Length, MemoryMappedFileAccess.ReadWrite))
            {
                writable.Write(code);
            }

            var view = file.CreateViewAccessor(0, code.Length, MemoryMappedFileAccess.ReadExecute);
            reason = null;
            return new CodeMemory(file, view);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            file?.Dispose();
            reason = e.Message;
            return null;
        }
    }

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}

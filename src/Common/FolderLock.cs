using System.Globalization;
using System.Text.Json;

namespace SafeLlama.Common;

/// <summary>A file in a folder that says which process writes there; a second process is refused.</summary>
/// <remarks>
/// The file holds the process id, when that process started, and its host. It is stale where no such process runs on
/// this host, as after a kill; then the next process takes it over. The file is only changed while it is held open
/// alone, and read again afterwards: of two processes that find it stale at once, one wins.
/// </remarks>
internal sealed class FolderLock : IDisposable
{
    public const string FileName = ".lock";

    /// <summary>How often to retry a file that another process has open.</summary>
    private const int Attempts = 100;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private string _path;

    private FolderLock(string path) => _path = path;

    /// <param name="folder">A folder that exists.</param>
    /// <param name="shown">The folder as the user named it, where it is filled under another name.</param>
    /// <exception cref="SafeLlamaException">Another process holds it, or a process of another host held it.</exception>
    public static FolderLock Take(string folder, string? shown = null)
    {
        var path = Path.Combine(folder, FileName);
        var mine = new Owner(
            Environment.ProcessId, ProcessStart.Of(Environment.ProcessId) ?? 0, Environment.MachineName,
            DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture), Guid.NewGuid().ToString());
        var token = JsonSerializer.Serialize(mine, Json.Line);
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                using (var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None))
                {
                    if (Read(file) is { } owner && owner.Token != mine.Token && !IsStale(owner))
                    {
                        throw Taken(folder, shown ?? folder, owner);
                    }

                    file.SetLength(0);
                    file.Write(System.Text.Encoding.UTF8.GetBytes(token));
                }

                // The owner may have deleted the file after it was opened here.
                if (File.Exists(path) && File.ReadAllText(path) == token)
                {
                    return new FolderLock(path);
                }
            }
            catch (IOException) when (attempt < Attempts && Directory.Exists(folder))
            {
                Thread.Sleep(Pause);
            }
        }
    }

    /// <summary>The folder was renamed with the file in it.</summary>
    public void Moved(string folder) => _path = Path.Combine(folder, FileName);

    public void Dispose()
    {
        try
        {
            // No other process takes the file over while this process runs.
            File.Delete(_path);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            // Other processes recognize a left-over file as stale once this process has ended.
        }
    }

    private static Owner? Read(FileStream file)
    {
        try
        {
            using var reader = new StreamReader(file, leaveOpen: true);
            var text = reader.ReadToEnd();
            file.Position = 0;
            return JsonSerializer.Deserialize<Owner>(text, Json.Line);
        }
        catch (JsonException)
        {
            // Empty or torn: the process that created it ended before it wrote its id.
            return null;
        }
    }

    private static bool IsStale(Owner owner) =>
        owner.Host == Environment.MachineName && ProcessStart.Of(owner.Process) != owner.Started;

    private static SafeLlamaException Taken(string folder, string shown, Owner owner)
    {
        var who = $"`Out` {shown}: process {owner.Process} on {owner.Host} has been writing there since {owner.Since} "
            + "UTC.";
        return owner.Host == Environment.MachineName
            ? SafeLlamaException.Usage(who, "wait until it has ended", "name another folder")
            : SafeLlamaException.Usage(
                who, $"delete {Path.Combine(folder, FileName)} if that process no longer runs", "name another folder");
    }

    /// <param name="Process">Its id.</param>
    /// <param name="Started">When it started, by its host's clock of processes.</param>
    /// <param name="Since">When it claimed the folder, UTC.</param>
    /// <param name="Token">Tells two claims of one process apart.</param>
    private sealed record Owner(int Process, long Started, string Host, string Since, string Token);

    /// <summary>When a process started: with its id, this tells it from a later one of the same id.</summary>
    private static class ProcessStart
    {
        /// <summary>
        /// The place of <c>starttime</c> after the name in <c>/proc/PID/stat</c> (proc(5), field 22).
        /// </summary>
        private const int Field = 19;

        /// <returns>Null where no such process runs.</returns>
        public static long? Of(int process)
        {
            try
            {
                if (OperatingSystem.IsLinux())
                {
                    var stat = File.ReadAllText($"/proc/{process}/stat");
                    var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                    return fields[0] is "Z" or "X" ? null : long.Parse(fields[Field], CultureInfo.InvariantCulture);
                }

                using var running = System.Diagnostics.Process.GetProcessById(process);
                return running.StartTime.ToFileTimeUtc();
            }
            catch (Exception e) when (FileErrors.Is(e) || e is ArgumentException or InvalidOperationException
                or System.ComponentModel.Win32Exception)
            {
                return null;
            }
        }
    }
}

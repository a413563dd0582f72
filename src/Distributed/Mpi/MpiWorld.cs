using System.Globalization;
using SafeLlama.Common;

namespace SafeLlama.Distributed;

/// <summary>The calls of MPI, one at a time: threads of a rank share them.</summary>
internal sealed unsafe class MpiWorld
{
    private readonly MpiAbi _abi;
    private readonly Lock _oneAtATime = new();

    private MpiWorld(MpiAbi abi)
    {
        _abi = abi;
        int rank, size;
        Check(MpiNative.MPI_Comm_set_errhandler(abi.World, abi.ErrorsReturn), "MPI_Comm_set_errhandler");
        Check(MpiNative.MPI_Comm_rank(abi.World, &rank), "MPI_Comm_rank");
        Check(MpiNative.MPI_Comm_size(abi.World, &size), "MPI_Comm_size");
        (Rank, Size) = (rank, size);
    }

    public int Rank { get; }

    public int Size { get; }

    /// <summary>The kind of library.</summary>
    public string Name => _abi.Name;

    /// <summary>Begins, which waits for every rank; after <paramref name="limit"/> the process ends.</summary>
    /// <param name="tell">Hears why.</param>
    public static MpiWorld Begin(Launcher launcher, TimeSpan limit, Action<string> tell)
    {
        var abi = MpiLibrary.Load(launcher);
        using var begun = new ManualResetEventSlim();
        var waiting = new Thread(() =>
        {
            // Rank 0 speaks first; the others are ended by the launcher then.
            if (!begun.Wait(limit + (launcher.Rank == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(1))))
            {
                tell(string.Create(
                    CultureInfo.InvariantCulture,
                    $"rank {launcher.Rank} on {Environment.MachineName}: not all of the {launcher.Size} ranks have "
                    + $"started within {limit.TotalSeconds:0.#} s."));
                MpiNative.Exit((int)ExitCode.Failure);
            }
        })
        { IsBackground = true };
        waiting.Start();
        int provided;
        Check(MpiNative.MPI_Init_thread(null, null, abi.Serialized, &provided), "MPI_Init_thread");
        begun.Set();
        waiting.Join();
        var world = new MpiWorld(abi);
        return provided < abi.Serialized
            ? throw new SafeLlamaException(
                ExitCode.Failure, $"{abi.Name}: was built without MPI_THREAD_SERIALIZED, which is needed.")
            : world;
    }

    /// <summary>Begins to send; the bytes must stay where they are until <see cref="Test"/> says so.</summary>
    public nint Send(byte* bytes, int count, int to, Channel channel)
    {
        lock (_oneAtATime)
        {
            nint request = 0;
            Check(MpiNative.MPI_Isend(bytes, count, _abi.Bytes, to, (int)channel, _abi.World, &request), "MPI_Isend");
            return request;
        }
    }

    /// <summary>Begins to receive; the bytes must stay where they are until <see cref="Test"/> says so.</summary>
    public nint Receive(byte* bytes, int count, int from, Channel channel)
    {
        lock (_oneAtATime)
        {
            nint request = 0;
            Check(
                MpiNative.MPI_Irecv(bytes, count, _abi.Bytes, from, (int)channel, _abi.World, &request), "MPI_Irecv");
            return request;
        }
    }

    /// <summary>Whether a message is through; once it is, it must not be asked about again.</summary>
    public bool Test(ref nint request)
    {
        lock (_oneAtATime)
        {
            var status = stackalloc byte[MpiNative.StatusBytes];
            var (asked, flag) = (request, 0);
            Check(MpiNative.MPI_Test(&asked, &flag, status), "MPI_Test");
            request = asked;
            return flag != 0;
        }
    }

    /// <summary>Asks the launcher to end all ranks.</summary>
    public void Abort(int code) => _ = MpiNative.MPI_Abort(_abi.World, code);

    public void Finish()
    {
        lock (_oneAtATime)
        {
            _ = MpiNative.MPI_Finalize();
        }
    }

    private static void Check(int code, string function)
    {
        if (code != 0)
        {
            throw new MpiException($"{function} failed with error {code}.");
        }
    }
}

/// <summary>A call of MPI failed.</summary>
internal sealed class MpiException(string message) : Exception(message);

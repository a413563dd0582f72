namespace SafeLlama.Distributed;

/// <summary>The ranks that this process belongs to.</summary>
public static class Ranks
{
    /// <summary>One of many where a launcher of MPI started it so, else alone.</summary>
    /// <param name="tell">Shows a line to the user, from any rank.</param>
    /// <exception cref="Common.SafeLlamaException">It is one of many, and the MPI library is missing.</exception>
    public static ICommunicator Join(Action<string> tell) =>
        Launcher.Find() is { } launcher ? MpiCommunicator.Join(launcher, tell) : SingleProcess.Instance;
}

namespace SafeLlama.Common.Tests;

public sealed class DisposableStackTests
{
    private readonly List<string> _closed = [];

    [Test]
    public void Things_are_closed_last_first_and_once()
    {
        var stack = new DisposableStack();
        stack.Add(new Closing(() => _closed.Add("backend")));
        stack.Add(new Closing(() => _closed.Add("model")));
        var owner = stack.Release();
        stack.Dispose();
        Assert.That(_closed, Is.Empty);
        owner.Dispose();
        owner.Dispose();
        Assert.That(_closed, Is.EqualTo(new[] { "model", "backend" }));
    }

    private sealed class Closing(Action close) : IDisposable
    {
        public void Dispose() => close();
    }
}

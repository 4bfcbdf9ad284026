"""The URLs."""

from django.urls import path

from .views import PostsView, UsersView, UserView

urlpatterns = [
    path('api/users', UsersView.as_view()),
    path('api/users/<int:user_id>', UserView.as_view()),
    path('api/posts', PostsView.as_view()),
]
